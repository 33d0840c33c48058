"""The rows of some entities as the online tier keeps them. One statement for those of few increments.

Of who is busy, `features.offline.tiled` reads sums. What is older than every window is added up in SQL.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    FromClause,
    and_,
    func,
    literal,
    select,
    union_all,
)

from features.heartbeats import Heartbeat
from features.increments import FOLDED, Segment, packed
from features.offline.reading import heartbeats
from features.offline.sql import PARAMETERS, among, chunks, halves, total
from features.offline.tables import ENTITIES, INCREMENTS, ROLLED
from features.offline.tiled import Busy, tiled
from features.reading import Of, Rows, Span, Within
from features.sums import HALF
from features.views import StreamView

_TILE, _N, _AMOUNT = INCREMENTS.c.tile, INCREMENTS.c.n, INCREMENTS.c.amount


class Summed(NamedTuple):
    """What one measure of an entity got from one partition in one tile, or in all that are folded into it.

    The sum is `high * 2**32 + low`.
    """

    tenant_id: str
    entity_id: str
    partition: int
    measure: int
    folded: int
    tile: int
    n: int
    high: int
    low: int


def rows(connection: Connection, view: StreamView, keys: Sequence[Of]) -> Rows:
    """The rows of those entities that are known, with a segment for each partition that they are in."""
    beats = heartbeats(connection)
    busy = _busy(connection, view, keys)
    found = _few(connection, view, [key for key in keys if key not in busy], beats, folded=True)
    found |= {key: tiled(connection, view, whose, beats) for key, whose in busy.items()}
    return Rows(found, beats)


def rows_within(connection: Connection, view: StreamView, spans: Sequence[Span]) -> Within:
    """What answers questions about entities at times of the past: a row for each span, in their order."""
    beats = heartbeats(connection)
    keys = [span.of for span in spans]
    busy = _busy(connection, view, keys)
    few = _few(connection, view, [key for key in keys if key not in busy], beats, folded=False)
    found = [
        tiled(connection, view, busy[span.of], beats, span) if span.of in busy else few.get(span.of, ())
        for span in spans
    ]
    return Within(found, beats)


def increments_by_tile(view: StreamView, keys: Sequence[Of], *, folded: bool) -> Executable:
    """Columns of `Summed`. With `folded`, one row for all tiles that lie before every window and the slack.

    How far back those are is counted from the entity's newest tile.
    """
    among_keys = (ENTITIES.c.view == view.name, among(ENTITIES, keys))
    alone = (_TILE, _N, literal(0), _AMOUNT)
    if not folded:
        each = select(*_columns(ENTITIES, literal(0), *alone))
        return each.join_from(ENTITIES, INCREMENTS, INCREMENTS.c.entity == ENTITIES.c.id).where(*among_keys)
    of_entity = INCREMENTS.alias("of_entity")
    newest = select(func.max(of_entity.c.tile)).where(of_entity.c.entity == ENTITIES.c.id).scalar_subquery()
    named = (ENTITIES.c.id, ENTITIES.c.tenant_id, ENTITIES.c.entity_id)
    whose = select(*named, newest.label("newest")).where(*among_keys).cte("whose")
    begin = whose.c.newest - view.horizon_tiles - view.slack_tiles
    border = begin - begin % view.horizon_width
    sums = (func.max(_TILE), total(_N), *map(total, halves(_AMOUNT)))
    old, young = (
        select(*_columns(whose, literal(is_old), *values))
        .join_from(whose, INCREMENTS, INCREMENTS.c.entity == whose.c.id)
        .where(border > _TILE if is_old else border <= _TILE)
        for is_old, values in ((1, sums), (0, alone))
    )
    groups = (whose.c.id, whose.c.tenant_id, whose.c.entity_id, INCREMENTS.c.partition, INCREMENTS.c.measure)
    return union_all(old.group_by(*groups), young)


def _few(
    connection: Connection,
    view: StreamView,
    keys: Iterable[Of],
    beats: Mapping[int, Heartbeat],
    *,
    folded: bool,
) -> dict[Of, tuple[Segment, ...]]:
    found: dict[Of, dict[int, list[tuple[int, int, int, int]]]] = {}
    for chunk in chunks(dict.fromkeys(keys), PARAMETERS):
        found_rows = connection.execute(increments_by_tile(view, chunk, folded=folded)).all()
        for each in map(Summed._make, found_rows):
            of_entity = found.setdefault((each.tenant_id, each.entity_id), {})
            measure = each.measure | (FOLDED if each.folded else 0)
            amount = each.high * HALF + each.low
            of_entity.setdefault(each.partition, []).append((each.tile, measure, each.n, amount))
    return {
        key: tuple(
            Segment(partition, beats[partition].position, packed(sorted(increments)))
            for partition, increments in sorted(of_entity.items())
        )
        for key, of_entity in found.items()
    }


def _busy(connection: Connection, view: StreamView, keys: Iterable[Of]) -> dict[Of, Busy]:
    """Those of whom sums are kept."""
    columns = (ENTITIES.c.tenant_id, ENTITIES.c.entity_id, ENTITIES.c.id)
    found: dict[Of, Busy] = {}
    for chunk in chunks(dict.fromkeys(keys), PARAMETERS):
        query = (
            select(*columns, ROLLED.c.partition, ROLLED.c.next_offset)
            .join_from(ENTITIES, ROLLED, ROLLED.c.entity == ENTITIES.c.id)
            .where(and_(ENTITIES.c.view == view.name, among(ENTITIES, chunk)))
        )
        for tenant_id, entity_id, number, partition, next_offset in connection.execute(query):
            busy = found.setdefault((tenant_id, entity_id), Busy(number, {}))
            busy.rolled[partition] = next_offset
    return found


def _columns(whose: FromClause, *values: ColumnElement[Any]) -> tuple[ColumnElement[Any], ...]:
    return (
        *(whose.c.tenant_id, whose.c.entity_id, INCREMENTS.c.partition, INCREMENTS.c.measure),
        *values,
    )
