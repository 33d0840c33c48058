"""Rollups: the increments of a busy entity are added up by tile, at each width by which edges of windows lie.

The increments stay: a prediction of the past is checked against them. An entity is looked at once in about a
thousand of its increments, chosen by their offsets, so that no count of them must be kept or can be lost; if
enough came since it was last rolled up, they are added. One that has few is left alone, and read increment by
increment.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    case,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from features.offline.batch import BACKFILL, StreamEvent
from features.offline.sql import halves, total
from features.offline.tables import ENTITIES, INCREMENTS, ROLLED, TILES
from features.views import StreamView

ROLLED_FROM = 512
"""Fewer increments are not worth it: to read them all takes 1 ms."""
AT_ONCE = 20_000
"""Offsets that one transaction adds up: an old store has millions."""
ONE_IN = 1_024
_MIX, _BITS = 0x9E37_79B1, 32

NOBODY: Final = 0
"""Entities have numbers from 1 on. A mark of this one says that the store was looked through."""

Owner = tuple[str, str, str]


def chosen(events: Iterable[StreamEvent], numbers: Mapping[Owner, int]) -> dict[int, str]:
    """The entities to be looked at after these events were counted: their numbers, and the view of each."""
    found = {}
    for event in events:
        # multiplicative hashing: events of one entity may come at regular distances
        if (event.offset * _MIX & (1 << _BITS) - 1) < (1 << _BITS) // ONE_IN:
            for each in event.increments:
                number = numbers.get((each.view, each.tenant_id, each.entity_id))
                if number is not None:
                    found[number] = each.view
    return found


def looked_through(connection: Connection) -> bool:
    """Whether the store was searched for entities that were busy before it kept sums."""
    query = select(ROLLED.c.entity).where(ROLLED.c.entity == NOBODY)
    return connection.execute(query).one_or_none() is not None


def note_looked_through(connection: Connection) -> None:
    """It was, by this process or by another one at the same time."""
    if not looked_through(connection):
        connection.execute(insert(ROLLED).values(entity=NOBODY, partition=BACKFILL, next_offset=0))


def busy(connection: Connection) -> list[tuple[str, int, int]]:
    """View, number and partition of all that have enough increments. Goes through all that there are."""
    c = INCREMENTS.c
    many = (
        select(c.entity, c.partition)
        .group_by(c.entity, c.partition)
        .having(func.count() >= ROLLED_FROM)
        .subquery()
    )
    query = select(ENTITIES.c.view, many.c.entity, many.c.partition).join_from(
        many, ENTITIES, ENTITIES.c.id == many.c.entity
    )
    return [(view, entity, partition) for view, entity, partition in connection.execute(query)]


def roll(connection: Connection, view: StreamView, entity: int, partition: int) -> bool:
    """Add the next increments of an entity to its sums; whether there may be more.

    For a transaction of `Database.write`: of two that do it at once, one fails or finds it done.
    """
    mark = (ROLLED.c.entity == entity, ROLLED.c.partition == partition)
    begin = connection.execute(select(ROLLED.c.next_offset).where(*mark)).scalar()
    end, more = _end(connection, entity, partition, begin or 0)
    if end is None:
        return False
    if begin is None:
        connection.execute(insert(ROLLED).values(entity=entity, partition=partition, next_offset=end))
    else:
        moved = update(ROLLED).where(*mark, ROLLED.c.next_offset == begin).values(next_offset=end)
        if not connection.execute(moved).rowcount:
            return False
    for width in (1, *(level.width for level in view.levels)):
        _add(connection, entity, partition, width, begin or 0, end)
    return more


def _end(connection: Connection, entity: int, partition: int, begin: int) -> tuple[int | None, bool]:
    """Up to before which offset to add, None if too little came; and whether that leaves some."""
    c = INCREMENTS.c
    since = (c.entity == entity, c.partition == partition, c.offset >= begin)
    some = select(c.offset).where(*since).order_by(c.offset).limit(AT_ONCE).subquery()
    number, last = connection.execute(select(func.count(), func.max(some.c.offset)).select_from(some)).one()
    if number < ROLLED_FROM:
        return None, False
    return last + 1, number == AT_ONCE


def _add(connection: Connection, entity: int, partition: int, width: int, begin: int, end: int) -> None:
    c = INCREMENTS.c
    tile: ColumnElement[int] = c.tile - c.tile % width
    high, low = halves(c.amount)
    sums = select(
        *(literal(entity, BigInteger), literal(width), tile, c.partition, c.measure),
        *(func.max(c.tile), total(c.n), total(high), total(low)),
    )
    sums = sums.where(c.entity == entity, c.partition == partition, c.offset >= begin, c.offset < end)
    sums = sums.group_by(tile, c.partition, c.measure)
    upsert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(TILES)
    upsert = upsert.from_select(TILES.columns.keys(), sums)
    new = upsert.excluded
    later = case((new.newest > TILES.c.newest, new.newest), else_=TILES.c.newest)
    added = {name: TILES.c[name] + new[name] for name in ("n", "high", "low")}
    key = [column.name for column in TILES.primary_key]
    connection.execute(upsert.on_conflict_do_update(index_elements=key, set_={"newest": later, **added}))
