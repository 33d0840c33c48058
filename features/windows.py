"""Window aggregation: the values of a view at given times. Training and serving share it.

Nothing of the tile of `t` counts, nor what came later: however far the store is ahead, an event's own
increments and those after it change nothing of what it is told.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.increments import Column, Increments
from features.plan import Plan, plan_of
from features.segments import Ints
from features.sums import Halves, may_overflow
from features.views import StreamView

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Places = NDArray[np.intp]

_ROW = 33
"""Row and tile make one ordered number; a tile has 32 bits, and the end of a window may lie one further."""
_TILE = (1 << _ROW) - 1
_LAST = 1 << 32
_CHUNK = 1 << 14
"""So many queries at a time: their columns stay in the cache."""


class Values(NamedTuple):
    """One row for each query.

    `matrix` [queries, features] holds the feature's default wherever `absent` is true. `newest` is the time
    (epoch ms, by the view's resolution) of the entity's newest increment before the query's, -1 if there
    is none. `exact` is false if increments that the answer rests on were folded: ask the offline tier.
    `absent` [queries, features]: all of an entity of which nothing came before, or nothing within the view's
    `ttl_days`; a recency of something that never happened.
    """

    matrix: Floats
    newest: Ints
    exact: Bools
    absent: Bools


class Queries(NamedTuple):
    """Questions about a view, as far as they can be worked out before the increments are there.

    About row `of[i]` at tile `tiles[i]`; `bounds` [points, queries]: row and tile of each of `plan.points`.
    """

    view: StreamView
    plan: Plan
    of: Places
    tiles: Ints
    bounds: Ints

    @classmethod
    def at(cls, view: StreamView, of: Places, at: Ints) -> "Queries":
        """About row `of[i]` at time `at[i]` (epoch ms), for all `i`."""
        plan, tiles = plan_of(view), _tiles(view, at)
        bounds = np.maximum(tiles + plan.points, 0)
        if plan.widths is not None:
            bounds -= bounds % plan.widths
        bounds += of << _ROW
        return cls(view, plan, of, tiles, bounds)

    def evaluate(self, increments: Increments, rows: int) -> Values:
        """Their values, of so many rows. Increments may be in any order, several of them in one tile."""
        return _values(self, _past(self.plan, increments, rows))


class _Past(NamedTuple):
    """Increments by row and tile, one place on: at `i` stands what the first `i` of them say.

    `keys` has the last one's row and tile, `totals` their sums, `latest` the last row and tile of a measure;
    `folded`, by row, the newest tile of which only sums are left, and `since` the first tile for whose
    questions it is exact, None if that is nowhere so. If the sums of amounts may exceed 64 bits, `totals`
    has their low halves and `high` the others: see `features.sums`.
    """

    keys: Ints
    totals: Ints
    high: Ints | None
    latest: list[Ints]
    folded: Ints | None
    since: Ints | None


def evaluate(view: StreamView, increments: Increments, rows: int, of: Places, at: Ints) -> Values:
    """The values of query `i`, about row `of[i]` of the `rows` at time `at[i]` (epoch ms), for all `i`.

    Increments may be in any order, and several of them in one tile.
    """
    if len(at) <= _CHUNK:
        return Queries.at(view, of, at).evaluate(increments, rows)
    past = _past(plan_of(view), increments, rows)
    whole = _room(len(at), len(view.features))
    for places in _chunks(of, _tiles(view, at)):
        part = _values(Queries.at(view, of[places], at[places]), past)
        for column, values in zip(whole, part, strict=True):
            column[places] = values
    return whole


def _tiles(view: StreamView, at: Ints) -> Ints:
    tiles = at // view.tile_ms
    return np.minimum(tiles, _LAST, out=tiles)


def _past(plan: Plan, increments: Increments, rows: int) -> _Past:
    keys = np.empty(len(increments.of) + 1, np.int64)
    keys[0] = -1
    np.left_shift(increments.of, _ROW, out=keys[1:])
    keys[1:] += increments.tile
    measure, columns = increments.measure, {"n": increments.n, "amount": increments.amount}
    # rows of one segment mostly stand in order: not to sort them saves two thirds of the time
    if not (keys[1:] >= keys[:-1]).all():
        order = np.argsort(keys[1:], kind="stable")
        keys[1:] = keys[1:][order]
        measure = measure[order]
        columns = {name: column[order] for name, column in columns.items()}
    large = ("amount" in (name for _, name in plan.totals)) and may_overflow(columns["amount"])
    high = None
    if large:
        halves = Halves.of(columns["amount"])
        high = _running(plan, measure, {"n": np.zeros_like(halves.high), "amount": halves.high})
        columns["amount"] = halves.low
    totals = _running(plan, measure, columns)
    latest = [keys if plan.sole else _latest(keys, measure == each) for each in plan.recent]
    folded = None
    if increments.base is not None:
        folded = np.full(rows, -_TILE)
        np.maximum.at(folded, increments.of[increments.base], increments.tile[increments.base])
    since = None
    if increments.since is not None:
        # nobody's row, one past the last, may be asked for as well
        since = np.zeros(rows, np.int64)
        since[: len(increments.since)] = increments.since
    return _Past(keys, totals, high, latest, folded, since)


def _running(plan: Plan, measure: Column, columns: dict[str, Column]) -> Ints:
    """For each of the plan's totals the sums of the increments up to each one."""
    totals = np.empty((len(plan.totals), len(measure) + 1), np.int64)
    totals[:, 0] = 0
    for total, (each, name) in zip(totals, plan.totals, strict=True):
        running = columns[name]
        if not plan.sole:
            running = np.multiply(running, measure == each, out=total[1:])
        np.cumsum(running, dtype=np.int64, out=total[1:])
    return totals


def _latest(keys: Ints, among: Bools) -> Ints:
    latest = keys.copy()
    latest[1:][~among] = -1
    return np.maximum.accumulate(latest)


def _values(queries: Queries, past: _Past) -> Values:
    view, plan, of, tiles, bounds = queries
    # features by queries, and not the other way: what is looked up for one point or span then lies together
    found = past.keys[1:].searchsorted(bounds)
    now = found[0]
    newest = past.keys.take(now)
    # a row's keys follow each other: where the one before `now` is another's, this row has none before
    known = newest >> _ROW == of
    newest &= _TILE
    nothing = ~known | (tiles - newest > view.ttl_tiles)
    values = plan.defaults.repeat(len(of), axis=1)
    if plan.totals:
        _counted(plan, past, found, values)
    absent = nothing[None].repeat(len(values), axis=0)
    for column, recent, unit_s in plan.recencies:
        last = past.latest[recent].take(now)
        seen = last >> _ROW == of
        np.divide((tiles - (last & _TILE)) * view.resolution_s, unit_s, out=values[column], where=seen)
        absent[column] |= ~seen
    newest *= view.tile_ms
    if nothing.any():
        values[:, nothing] = plan.defaults
        newest[~known] = -1
    return Values(values.T, newest, _exact(view, past, of, tiles), absent.T)


def _exact(view: StreamView, past: _Past, of: Places, tiles: Ints) -> Bools:
    exact = np.ones(len(of), np.bool_) if past.since is None else tiles >= past.since[of]
    if past.folded is not None:
        begin = tiles - view.horizon_tiles
        exact &= begin - begin % view.horizon_width > past.folded[of]
    return exact


def _counted(plan: Plan, past: _Past, found: Places, values: Floats) -> None:
    """Counts, sums, means and ratios into their rows, if there is something to divide by."""
    sums = _spanned(plan, past.totals, found)
    divisors = sums.take(plan.per, axis=0)
    divisors *= plan.factor
    divisors += plan.summand
    over = sums.take(plan.over, axis=0)
    if past.high is None:
        np.divide(over, divisors, out=values, where=divisors > 0)
    else:
        high = _spanned(plan, past.high, found).take(plan.over, axis=0)
        np.divide(Halves(high, over).normal().floats(), divisors, out=values, where=divisors > 0)
    if plan.most is not None:
        np.minimum(values, plan.most, out=values)


def _spanned(plan: Plan, totals: Ints, found: Places) -> Ints:
    """The sum within each of the plan's spans, for each query."""
    points, queries = found.shape
    at = totals.take(found, axis=1).reshape(len(totals) * points, queries)
    begin, end = plan.spans
    sums: Ints = at.take(end, axis=0)
    sums -= at.take(begin, axis=0)
    return sums


def _chunks(of: Places, tiles: Ints) -> Iterator[Places]:
    """The places of all queries, in such an order that neighbours are looked up near each other."""
    order = np.argsort((of << _ROW) + tiles)
    for begin in range(0, len(order), _CHUNK):
        yield order[begin : begin + _CHUNK]


def _room(queries: int, features: int) -> Values:
    return Values(
        np.empty((queries, features)),
        np.empty(queries, np.int64),
        np.empty(queries, np.bool_),
        np.empty((queries, features), np.bool_),
    )
