"""Validation of feature definitions: each by itself, with each other, and with the event payloads."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from events.contract import Contract
from events.errors import Problem
from features.checking_payloads import problems_of_origin, problems_of_source
from features.views import DAY_S, Aggregate, BatchView, Entity, Measure, RequestView, StreamView, View
from routing import nearest

Found = tuple[str, str]
"""What is wrong: the place within the definitions, and the message."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_MOST_MEASURES = 127
"""The eighth bit of a stored measure marks what was folded."""
_MOST_DECIMALS = 6
_LONGEST_DAYS = 36_500


def problems_of(
    entities: Sequence[Entity], views: Sequence[View], contract: Contract, path: str = "features/retail.py"
) -> Iterator[Problem]:
    """Every problem, each with the place where it stands."""
    for key, message in _found(entities, views, contract):
        yield Problem(path, 0, key, message)


def _found(entities: Sequence[Entity], views: Sequence[View], contract: Contract) -> Iterator[Found]:
    yield from _names("entity", (entity.name for entity in entities))
    yield from _names("view", (view.name for view in views))
    yield from _names("feature", (name for view in views for name in view.names))
    for entity in entities:
        if not entity.key:
            yield entity.name, "key is empty: name the payload field with its id"
    by_name = {entity.name: entity for entity in entities}
    for view in views:
        for key, message in _in_view(view, by_name, contract):
            yield f"{view.name}.{key}" if key else view.name, message


def _names(what: str, names: Iterable[str]) -> Iterator[Found]:
    for name, times in Counter(names).items():
        if not _NAME.fullmatch(name):
            yield name, f"is no name of a {what}: small letters, digits and _, a letter first, 63 at most"
        if times > 1:
            yield name, f"is the name of more than one {what}"


def _in_view(view: View, entities: dict[str, Entity], contract: Contract) -> Iterator[Found]:
    if not view.owner:
        yield "owner", "is empty: name who answers for it"
    if not view.names:
        yield "", "has no feature"
    if isinstance(view, BatchView | RequestView):
        yield from _fields(view)
    if isinstance(view, RequestView):
        return
    if view.entity not in entities:
        yield "entity", f"{view.entity} is not declared{nearest(view.entity, entities)}"
    for name in ("ttl_days", "freshness_s"):
        if getattr(view, name) < 1:
            yield name, f"must be positive, is {getattr(view, name)}"
    if isinstance(view, BatchView):
        if not _NAME.fullmatch(view.table):
            yield "table", f"{view.table!r} is no name of a table"
        yield from _origin(view, entities.get(view.entity), contract)
        return
    yield from _times(view)
    yield from _measures(view, entities.get(view.entity), contract)
    for feature in view.features:
        for message in _aggregate(feature, {measure.name: measure for measure in view.measures}):
            yield feature.name, message


def _fields(view: BatchView | RequestView) -> Iterator[Found]:
    for field in view.fields:
        if field.type not in ("number", "text"):
            yield field.name, f"type must be number or text, is {field.type}"
        elif isinstance(field.default, str) != (field.type == "text"):
            yield field.name, f"default must be a {field.type}, is {field.default!r}"


def _origin(view: BatchView, entity: Entity | None, contract: Contract) -> Iterator[Found]:
    if view.origin is None:
        return
    if len(view.origin.fields) != len(view.fields) or any(field.type != "text" for field in view.fields):
        yield "origin", "must name one field of the payload for each field of the view, all of them texts"
    if entity is not None:
        for message in problems_of_origin(view.origin, entity.key, contract):
            yield "origin", message


def _times(view: StreamView) -> Iterator[Found]:
    if view.resolution_s < 1 or DAY_S % view.resolution_s:
        yield "resolution_s", f"must divide a day of {DAY_S} seconds, is {view.resolution_s}"
        return
    if view.slack_days < 1:
        yield "slack_days", f"must be positive, is {view.slack_days}"
    if view.features and 0 < view.ttl_days * view.tiles_per_day < view.horizon_tiles:
        days = view.horizon_tiles // view.tiles_per_day
        yield "ttl_days", f"is {view.ttl_days}, and the longest window begins {days} days back"


def _measures(view: StreamView, entity: Entity | None, contract: Contract) -> Iterator[Found]:
    yield from _names("measure", (measure.name for measure in view.measures))
    if len(view.measures) > _MOST_MEASURES:
        yield "measures", f"are {len(view.measures)}; {_MOST_MEASURES} at most"
    used = {name for feature in view.features for name in (feature.over, feature.per)}
    for measure in view.measures:
        if measure.name not in used:
            yield measure.name, "is stored for nothing: no feature is made of it"
        if not 0 <= measure.decimals <= _MOST_DECIMALS or (measure.decimals and measure.of is None):
            yield measure.name, f"decimals must be 0 to {_MOST_DECIMALS}, and 0 where no number is summed"
        if entity is not None:
            for message in problems_of_source(measure, measure.key or entity.key, contract):
                yield measure.name, message


def _aggregate(feature: Aggregate, measures: dict[str, Measure]) -> Iterator[str]:
    if feature.kind not in ("count", "sum", "mean", "ratio", "recency"):
        yield f"kind must be count, sum, mean, ratio or recency, is {feature.kind}"
    for name in (feature.over,) if feature.per is None else (feature.over, feature.per):
        if name not in measures:
            yield f"measure {name} is not declared in its view{nearest(name, measures)}"
    over = measures.get(feature.over)
    if feature.kind in ("sum", "mean") and over is not None and over.of is None:
        yield f"measure {feature.over} sums no number: name one in its `of`"
    if (feature.per is not None) != (feature.kind == "ratio"):
        yield f"a {feature.kind} takes {'a measure in `per`' if feature.kind == 'ratio' else 'no `per`'}"
    if feature.per_delay_days and feature.kind != "ratio":
        yield "per_delay_days is for a ratio"
    if feature.days is not None and not 1 <= feature.days <= _LONGEST_DAYS:
        yield f"days must be 1 to {_LONGEST_DAYS}, or None for all, is {feature.days}"
    if not all(0 <= delay <= _LONGEST_DAYS for delay in (feature.delay_days, feature.per_delay_days)):
        yield f"a delay must be 0 to {_LONGEST_DAYS} days"
    if not math.isfinite(feature.default) or (feature.kind == "ratio" and feature.default > 1):
        yield f"default must be a number, and 1 at most for a ratio, is {feature.default}"
    if feature.kind == "recency" and (feature.days is not None or feature.delay_days):
        yield "a recency has no window: leave out days and delay_days"
    if feature.kind == "recency" and feature.unit not in ("", "days"):
        yield f'the unit of a recency is "" for seconds or "days", is {feature.unit!r}'
