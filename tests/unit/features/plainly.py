"""What a view's values are, said as plainly as can be, to hold the real answer against; views at random."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from features.schema import Aggregate, Measure, StreamView
from features.segments import Segment, packed
from features.views import DAY_S
from features.windows import Values


class One(NamedTuple):
    """An increment."""

    tile: int
    measure: int
    n: int
    amount: int


class Said(NamedTuple):
    """What one query should give."""

    values: list[float]
    newest: int
    absent: list[bool]


def plainly(view: StreamView, increments: Sequence[One], at: int) -> Said:
    """By going through all increments, for one entity and one time (epoch ms)."""
    now = at // view.tile_ms
    past = [each.tile for each in increments if each.tile < now]
    newest = max(past) * view.tile_ms if past else -1
    if not past or now - max(past) > view.ttl_days * view.tiles_per_day:
        return Said([feature.default for feature in view.features], newest, [True] * len(view.features))
    values = [_value(view, feature, increments, now) for feature in view.features]
    return Said(
        [
            feature.default if value is None else value
            for feature, value in zip(view.features, values, strict=True)
        ],
        newest,
        [
            feature.kind == "recency" and value is None
            for feature, value in zip(view.features, values, strict=True)
        ],
    )


def _value(view: StreamView, feature: Aggregate, increments: Sequence[One], now: int) -> float | None:
    names = [measure.name for measure in view.measures]

    def within(name: str, delay_days: int) -> list[One]:
        end = edge(view, now, delay_days)
        begin = 0 if feature.days is None else edge(view, now, delay_days + feature.days)
        return [each for each in increments if names[each.measure] == name and begin <= each.tile < end]

    over = within(feature.over, feature.delay_days)
    count = sum(each.n for each in over)
    total = Fraction(
        sum(each.amount for each in over), 10 ** view.measures[names.index(feature.over)].decimals
    )
    match feature.kind:
        case "count":
            return float(count)
        case "sum":
            return float(total)
        case "mean":
            return float(total / count) if count else None
        case "ratio":
            per = sum(each.n for each in within(str(feature.per), feature.per_delay_days))
            return min(1.0, float(Fraction(count, per))) if per else None
        case "recency":
            if not over:
                return None
            seconds = (now - max(each.tile for each in over)) * view.resolution_s
            return seconds / (DAY_S if feature.unit == "days" else 1)


def edge(view: StreamView, now: int, days: int) -> int:
    """The tile at which a window begins or ends, so many days before the tile of the question."""
    if not days or not view.edges:
        return now - days * view.tiles_per_day
    seconds = next(seconds for most, seconds in view.edges if days <= most)
    second = (now - days * view.tiles_per_day) * view.resolution_s
    width = max(seconds, view.resolution_s)
    return second // width * width // view.resolution_s


def differences(view: StreamView, got: Values, query: int, expected: Said) -> dict[str, object]:
    """Which of a query's answers are not as expected; empty if all are."""
    answers = {
        "values": (got.matrix[query].tolist(), expected.values),
        "newest": (int(got.newest[query]), expected.newest),
        "absent": (got.absent[query].tolist(), expected.absent),
    }
    return {f"{view.name} {name}": pair for name, pair in answers.items() if pair[0] != pair[1]}


def segment(*increments: tuple[int, int, int, int], partition: int = 0, position: int = 0) -> Segment:
    """One partition's increments, as (tile, measure, n, amount)."""
    return Segment(partition, position, packed(increments))


def times(*at: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """As `evaluate` takes them."""
    return np.array(at, np.int64)


MEASURES = (
    Measure("paid", "order.placed", of="amount", decimals=2),
    Measure("seen", "page.viewed"),
)
EDGES = ((1, 14_400), (2, 43_200), (99, 86_400))
_DAYS = st.none() | st.integers(1, 3)
_DELAY = st.integers(0, 2)
_DEFAULT = st.sampled_from([0.0, -1.0, 0.5])
_MEASURE = st.sampled_from([measure.name for measure in MEASURES])


@st.composite
def aggregates(draw: st.DrawFn) -> Aggregate:
    """A feature of any kind that fits `MEASURES`."""
    kind = draw(st.sampled_from(["count", "sum", "mean", "ratio", "recency"]))
    default = draw(_DEFAULT)
    if kind == "recency":
        unit = draw(st.sampled_from(["", "days"]))
        return Aggregate("feature", "recency", draw(_MEASURE), default=default, unit=unit)
    days, delay = draw(_DAYS), draw(_DELAY)
    if kind == "count":
        return Aggregate("feature", "count", draw(_MEASURE), days=days, delay_days=delay, default=default)
    if kind == "ratio":
        return Aggregate(
            "feature",
            "ratio",
            draw(_MEASURE),
            per=draw(_MEASURE),
            days=days,
            delay_days=delay,
            per_delay_days=draw(_DELAY),
            default=default,
        )
    return Aggregate(
        "feature",
        "sum" if kind == "sum" else "mean",
        "paid",
        days=days,
        delay_days=delay,
        default=default,
    )


@st.composite
def views(draw: st.DrawFn) -> StreamView:
    """A view whose windows begin at most five days back, in tiles of two hours or more."""
    return StreamView(
        name="view",
        entity="customer",
        measures=MEASURES,
        features=tuple(draw(st.lists(aggregates(), min_size=1, max_size=5))),
        resolution_s=draw(st.sampled_from([7_200, 21_600, 43_200, 86_400])),
        edges=EDGES,
        ttl_days=draw(st.integers(5, 40)),
        slack_days=draw(st.integers(1, 3)),
        freshness_s=60,
        owner="tests",
        description="",
    )


ONES = st.builds(
    One,
    tile=st.integers(0, 60),
    measure=st.integers(0, len(MEASURES) - 1),
    n=st.just(1),
    amount=st.integers(-(10**6), 10**6),
)
