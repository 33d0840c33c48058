"""Lookup plan of a view: what must be read to answer for it. Made once and cached."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from features.tiling import width_at
from features.views import DAY_S, Aggregate, StreamView

Ints = NDArray[np.int64]
Column = Literal["n", "amount"]
_Key = TypeVar("_Key", int, tuple[int, Column], tuple[int, int, int])

_BEFORE_ALL = -(1 << 34)
"""More tiles than there are: where a window without a beginning begins."""


class Recency(NamedTuple):
    """A feature's column, the place of its measure in `Plan.recent`, and how many seconds its unit has."""

    column: int
    recent: int
    unit_s: int


class Plan(NamedTuple):
    """A view as columns of numbers.

    `points` [points, 1] are tiles before the query's own, the first of them 0; each lies at a multiple of its
    `widths` [points, 1], None if all are 1. `totals` are the measures
    whose `n` or `amount` is summed up; `spans` [2, spans]: where the sum begins and ends, as a place among
    the points of the first total, then those of the next. `over` and `per` [features]: the span that is
    divided, and that of the divisor `per * factor + summand`, which is 0 for a recency; `most`: the largest
    that may come of it. `recent` are the measures whose newest increment is looked up. `sole`: the view has
    one measure. What is said of each feature and is no place has the form [features, 1].
    """

    points: Ints
    widths: Ints | None
    totals: tuple[tuple[int, Column], ...]
    spans: Ints
    over: Ints
    per: Ints
    factor: Ints
    summand: Ints
    most: NDArray[np.float64] | None
    recent: tuple[int, ...]
    recencies: tuple[Recency, ...]
    defaults: NDArray[np.float64]
    sole: bool


@lru_cache(maxsize=256)
def plan_of(view: StreamView) -> Plan:
    """Views are compared by identity: looking a plan up costs nothing."""
    return _Planning(view).plan()


class _Planning:
    """The points, totals and spans of a view as its features ask for them, each once."""

    def __init__(self, view: StreamView) -> None:
        self._view = view
        self._measures = {measure.name: index for index, measure in enumerate(view.measures)}
        self._points = {0: 0}
        self._totals: dict[tuple[int, Column], int] = {}
        self._spans: dict[tuple[int, int, int], int] = {}
        self._recent: dict[int, int] = {}

    def plan(self) -> Plan:
        features = self._view.features
        quotients = [self._quotient(feature) for feature in features]
        recencies = tuple(
            Recency(column, self._recency(feature), DAY_S if feature.unit == "days" else 1)
            for column, feature in enumerate(features)
            if feature.kind == "recency"
        )
        ratios = np.array([[feature.kind == "ratio"] for feature in features])
        over, per, factor, summand = _table(quotients, 4)
        total, begin, end = _table(self._spans, 3)
        widths = [width_at(self._view.levels, -point) for point in self._points]
        return Plan(
            points=np.array([[point] for point in self._points], np.int64),
            widths=np.array([[width] for width in widths], np.int64) if max(widths) > 1 else None,
            totals=tuple(self._totals),
            spans=total * len(self._points) + (begin, end),
            over=over,
            per=per,
            factor=factor[:, None],
            summand=summand[:, None],
            most=np.where(ratios, 1.0, np.inf) if ratios.any() else None,
            recent=tuple(self._recent),
            recencies=recencies,
            defaults=np.array([[feature.default] for feature in features], np.float64),
            sole=len(self._measures) == 1,
        )

    def _quotient(self, feature: Aggregate) -> tuple[int, int, int, int]:
        if feature.kind == "recency":
            return 0, 0, 0, 0
        of_sum = feature.kind in ("sum", "mean")
        over = self._span(feature, feature.over, "amount" if of_sum else "n", feature.delay_days)
        scale = 10 ** self._view.measures[self._measures[feature.over]].decimals if of_sum else 1
        if feature.kind == "mean":
            return over, self._span(feature, feature.over, "n", feature.delay_days), scale, 0
        if feature.kind == "ratio" and feature.per is not None:
            return over, self._span(feature, feature.per, "n", feature.per_delay_days), 1, 0
        return over, over, 0, scale

    def _span(self, feature: Aggregate, measure: str, column: Column, delay_days: int) -> int:
        total = _place(self._totals, (self._measures[measure], column))
        a_day = self._view.tiles_per_day
        begin = _BEFORE_ALL if feature.days is None else -(delay_days + feature.days) * a_day
        ends = _place(self._points, -delay_days * a_day)
        return _place(self._spans, (total, _place(self._points, begin), ends))

    def _recency(self, feature: Aggregate) -> int:
        return _place(self._recent, self._measures[feature.over])


def _place(known: dict[_Key, int], what: _Key) -> int:
    """Where it stands; at the end if it is new."""
    return known.setdefault(what, len(known))


def _table(rows: Iterable[tuple[int, ...]], width: int) -> Ints:
    """The rows as columns: [width, rows]."""
    return np.ascontiguousarray(np.array(list(rows), np.int64).reshape(-1, width).T)
