"""A listing of the feature definitions: a paragraph for each view, a line for each feature."""

from collections.abc import Iterator

from features.schema import Aggregate, BatchView, Definitions, Field, RequestView, StreamView, View


def listing(definitions: Definitions) -> Iterator[str]:
    """The lines, from a first one with the count and the hash."""
    features = sum(len(view.names) for view in definitions.views)
    yield f"{features} features in {len(definitions.views)} views, definitions {definitions.hash}"
    for view in definitions.views:
        yield ""
        yield from _paragraph(definitions, view)


def _paragraph(definitions: Definitions, view: View) -> Iterator[str]:
    if isinstance(view, RequestView):
        yield f"{view.name}, of the request: {view.description} (owner {view.owner})"
        yield "  from the asking event itself; stored nowhere"
    else:
        entity = definitions.entities[view.entity]
        yield f"{view.name}, of a {entity.name} by {entity.key}: {view.description} (owner {view.owner})"
        yield f"  from {_source(view)}; holds {view.ttl_days} d, fresh within {view.freshness_s} s"
    rows = _of_stream(view) if isinstance(view, StreamView) else [_of_field(field) for field in view.fields]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for *cells, description in rows:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        yield f"    {'  '.join(padded)}  {description}".rstrip()


def _source(view: StreamView | BatchView) -> str:
    if isinstance(view, BatchView):
        return f"table {view.table}" + (f", filled from {view.origin.event_type}" if view.origin else "")
    return ", ".join(dict.fromkeys(name for measure in view.measures for name in measure.event_types))


Row = tuple[str, str, str, str]
"""Name, how it is made, default, description."""


def _of_field(field: Field) -> Row:
    return field.name, field.type, f"default {field.default}", field.description


def _of_stream(view: StreamView) -> list[Row]:
    sums = {measure.name: measure.of or measure.name for measure in view.measures}
    return [
        (feature.name, _made(feature, sums), f"default {feature.default:g}", feature.description)
        for feature in view.features
    ]


def _made(feature: Aggregate, sums: dict[str, str]) -> str:
    """How a value comes about: `mean of orders.amount, 7 d`."""
    over, span = feature.over, "ever" if feature.days is None else f"{feature.days} d"
    match feature.kind:
        case "recency":
            return f"since the last of {over}, in {feature.unit or 'seconds'}"
        case "ratio":
            per = f"{feature.per}, {_window(span, feature.per_delay_days)}"
            return f"{over}, {_window(span, feature.delay_days)} / {per}"
        case "count":
            return f"count of {over}, {_window(span, feature.delay_days)}"
        case _:
            return f"{feature.kind} of {over}.{sums[over]}, {_window(span, feature.delay_days)}"


def _window(span: str, delay_days: int) -> str:
    return f"{span} until {delay_days} d before" if delay_days else span
