"""The row of a busy entity out of its sums by tile, so that a read costs the same however many events it had.

Fine tiles near the question, wider ones further back, as the edges of windows lie (`features.tiling`); then
the increments that are not in the sums yet, which are few.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, literal, select

from features.folding import SLACKS_S, fold_border, group_border
from features.heartbeats import Heartbeat
from features.increments import FOLDED, Segment, packed
from features.offline.sql import total
from features.offline.tables import INCREMENTS, TILES
from features.reading import Span
from features.sums import HALF
from features.views import StreamView

MOST_FINE = 2_048
"""So many tiles of the view's own are read at most where a row has slack to give up."""

_Four = tuple[int, int, int, int]


class Busy(NamedTuple):
    """An entity's number, and by partition the offset before which its increments are in the sums."""

    number: int
    rolled: dict[int, int]


class _Piece(NamedTuple):
    """Tiles of one width, from `begin` to before `end`."""

    width: int
    begin: int
    end: int


def tiled(
    connection: Connection,
    view: StreamView,
    busy: Busy,
    beats: Mapping[int, Heartbeat],
    span: Span | None = None,
) -> tuple[Segment, ...]:
    """Its row, exact for questions of the span; if there is none, for as much of the view's slack as fits."""
    recent = _recent(connection, busy, beats, span)
    if span is None:
        newest = _newest(connection, busy, recent)
        first, last = _first(connection, view, busy, newest), newest + 1
    else:
        first, last = span.first, span.last
    found = recent
    for partition, increment in _summed(connection, view, busy, first, last):
        found.setdefault(partition, []).append(increment)
    since = max(first, 0) if view.levels else 0
    return tuple(
        Segment(partition, beats[partition].position, packed(sorted(increments)), since)
        for partition, increments in sorted(found.items())
    )


def _recent(
    connection: Connection, busy: Busy, beats: Mapping[int, Heartbeat], span: Span | None
) -> dict[int, list[_Four]]:
    """By partition the increments that are not in the sums."""
    c = INCREMENTS.c
    found: dict[int, list[_Four]] = {}
    for partition in beats:
        # one range of the key each: a condition over all partitions would go through all of the entity
        query = select(c.tile, c.measure, c.n, c.amount).where(
            c.entity == busy.number, c.partition == partition, c.offset >= busy.rolled.get(partition, 0)
        )
        if span is not None:
            query = query.where(c.tile < span.last)
        if rows := connection.execute(query).all():
            found[partition] = [(tile, measure, n, amount) for tile, measure, n, amount in rows]
    return found


def _newest(connection: Connection, busy: Busy, recent: Mapping[int, list[_Four]]) -> int:
    coarsest = select(func.max(TILES.c.width)).where(TILES.c.entity == busy.number).scalar_subquery()
    query = select(func.max(TILES.c.newest)).where(TILES.c.entity == busy.number, TILES.c.width == coarsest)
    summed = connection.execute(query).scalar() or 0
    return max(summed, *(each[0] for increments in recent.values() for each in increments), 0)


def _first(connection: Connection, view: StreamView, busy: Busy, newest: int) -> int:
    """How far back the row can be asked about, so that it has not too many tiles of the view's own."""
    slacks = [view.slack_tiles, *(each // view.resolution_s for each in SLACKS_S)]
    slacks = [each for each in slacks if 0 <= each <= view.slack_tiles]
    for slack in slacks:
        fine = (
            select(literal(1))
            .where(
                TILES.c.entity == busy.number,
                TILES.c.width == 1,
                TILES.c.tile >= _fine_border(view, newest - slack),
            )
            .limit(MOST_FINE + 1)
            .subquery()
        )
        if connection.execute(select(func.count()).select_from(fine)).scalar_one() <= MOST_FINE:
            break
    return newest - slack


def _fine_border(view: StreamView, first: int) -> int:
    if not view.levels:
        return fold_border(view, first)
    return group_border(view.levels[0].width, view.levels[0].reach, first)


def _summed(
    connection: Connection, view: StreamView, busy: Busy, first: int, last: int
) -> Iterator[tuple[int, _Four]]:
    """The sums of each piece by their tiles, and of what is older than all pieces altogether."""
    c = TILES.c
    *pieces, old = _pieces(view, first, last)
    each = (c.partition, c.measure, c.newest, c.n, c.high, c.low)
    for piece in pieces:
        for row in connection.execute(select(*each).where(*_within(busy, piece))):
            yield _one(*row)
    sums = (func.max(c.newest), *map(total, (c.n, c.high, c.low)))
    query = select(c.partition, c.measure, *sums).where(*_within(busy, old)).group_by(c.partition, c.measure)
    for partition, measure, *rest in connection.execute(query):
        yield _one(partition, measure | FOLDED, *rest)


def _pieces(view: StreamView, first: int, last: int) -> list[_Piece]:
    """From the finest on; the last one has what no window of a question from `first` on tells apart."""
    widths, ends = [1], [last]
    for level in view.levels:
        widths.append(level.width)
        ends.append(min(last, group_border(level.width, level.reach, first)))
    cut = min(ends[-1], fold_border(view, first))
    if view.levels:
        # whole tiles of the coarsest width, none of which a window begins in
        cut -= cut % widths[-1]
    begins = [*ends[1:], cut]
    pieces = [_Piece(*each) for each in zip(widths, begins, ends, strict=True)]
    return [*pieces, _Piece(widths[-1], 0, cut)]


def _within(busy: Busy, piece: _Piece) -> tuple[ColumnElement[Any], ...]:
    c = TILES.c
    return (
        c.entity == busy.number,
        c.width == piece.width,
        c.tile >= piece.begin,
        c.tile < piece.end,
    )


def _one(partition: int, measure: int, newest: int, n: int, high: int, low: int) -> tuple[int, _Four]:
    return partition, (newest, measure, n, high * HALF + low)
