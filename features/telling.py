"""Reports of an entity's feature values, of the increments behind them, and of their freshness."""

from collections.abc import Iterator, Mapping, Sequence

from core.timestamps import iso_seconds
from events.decision import Millis
from features.heartbeats import Heartbeats, as_of
from features.offline.batch import BACKFILL
from features.offline.batch_tables import Version
from features.offline.history import Told
from features.reading import FeatureVector, Heartbeat
from features.schema import Definitions
from features.views import BatchView, StreamView

Cells = Sequence[str]


def values_told(names: Sequence[str], vector: FeatureVector) -> Iterator[str]:
    """A line for each feature, and one for where they came from."""
    rows = [
        (name, _value(value), "missing" * (name in vector.missing), "stale" * (name in vector.stale))
        for name, value in zip(names, vector.values, strict=True)
    ]
    yield from table(rows)
    data = f"newest data {iso_seconds(vector.data_time)}" if vector.data_time is not None else "no data"
    yield f"from the {vector.origin} tier at {vector.position or 'nowhere'}, {data}"


def history_told(view: StreamView, increments: Sequence[Told]) -> Iterator[str]:
    """A line for each increment, the newest first: when, what, and by which event."""
    rows = []
    for each in increments:
        measure = view.measures[each.measure]
        amount = (
            f"{measure.of} {each.amount / 10**measure.decimals:,.{measure.decimals}f}" if measure.of else ""
        )
        source = "backfill" if each.partition == BACKFILL else str(each.partition)
        where = f"{source}@{each.offset}"
        counted = f"counted {iso_seconds(each.created_at)}"
        rows.append(
            (
                iso_seconds(each.event_time),
                f"{measure.name} {each.n:+}",
                amount,
                each.event_id,
                where,
                counted,
            )
        )
    yield f"{view.name}: {len(rows)} increments"
    yield from table(rows, indent=2)


def versions_told(view: BatchView, versions: Sequence[Version]) -> Iterator[str]:
    """A line for each row of a batch view's table, in the order given."""
    yield f"{view.name}: {len(versions)} rows"
    yield from table(
        [
            (
                iso_seconds(each.event_time),
                *(f"{name} {_value(value)}" for name, value in zip(view.names, each.values, strict=True)),
                f"written {iso_seconds(each.created_at)}",
            )
            for each in versions
        ],
        indent=2,
    )


def freshness_told(
    definitions: Definitions,
    counted: Mapping[int, Heartbeat],
    online: Heartbeats,
    materialized: Mapping[str, Millis | None],
    now: Millis,
) -> Iterator[tuple[str, bool]]:
    """Lines, each with whether something is later than its view's budget.

    `counted` is how far SQL is, `online` how far Redis is; `materialized` says when each batch view's table
    was last put online. Times in epoch ms.
    """
    rows = []
    for partition in sorted(counted.keys() | online.partitions.keys()):
        sql, redis = counted.get(partition), online.partitions.get(partition)
        told = redis or sql
        arrival = (
            "backfill" if partition == BACKFILL or told is None else f"all until {iso_seconds(told.as_of)}"
        )
        rows.append(
            (
                *("backfill" if partition == BACKFILL else f"partition {partition}", arrival),
                *(f"in SQL up to {sql.position:,}" if sql else "not in SQL",),
                *(f"online up to {redis.position:,}" if redis else "not online",),
            )
        )
    yield from ((line, False) for line in table(rows))
    stream = as_of(online.partitions)
    for view in definitions.views:
        if isinstance(view, StreamView):
            yield _budget(view, stream, now)
        elif isinstance(view, BatchView):
            yield _budget(view, materialized.get(view.name), now)


def _budget(view: StreamView | BatchView, until: Millis | None, now: Millis) -> tuple[str, bool]:
    budget = f"{view.name}: budget {view.freshness_s:,} s"
    if until is None:
        never = "never counted" if isinstance(view, StreamView) else "never materialised"
        return f"{budget}, {never}: stale", True
    age_s = max(0, now - until) / 1_000
    late = age_s > view.freshness_s
    return f"{budget}, {age_s:,.1f} s behind: {'stale' if late else 'fresh'}", late


def table(rows: Sequence[Cells], indent: int = 0) -> Iterator[str]:
    """Cells in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield (" " * indent + "  ".join(cells)).rstrip()


def _value(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.6g}"
