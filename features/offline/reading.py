"""Which statements give whole rows of entities? Each belongs into a transaction of `Database.reading`."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Select, case, cast, func, literal, select

from features.increments import FOLDED, Segment, packed
from features.offline.sql import PARAMETERS, among, chunks
from features.offline.tables import ENTITIES, INCREMENTS, OFFSETS
from features.reading import Heartbeat, Of, Rows
from features.views import StreamView


class Summed(NamedTuple):
    """What one measure of an entity got from one partition in one tile, or in all that are folded into it."""

    tenant_id: str
    entity_id: str
    partition: int
    measure: int
    folded: int
    tile: int
    n: int
    amount: int


def heartbeats(connection: Connection) -> dict[int, Heartbeat]:
    """How far each partition is counted."""
    query = select(OFFSETS.c.partition, OFFSETS.c.next_offset, OFFSETS.c.as_of, OFFSETS.c.clock)
    return {partition: Heartbeat(*stand) for partition, *stand in connection.execute(query)}


def rows(connection: Connection, view: StreamView, keys: Sequence[Of], *, folded: bool = True) -> Rows:
    """The rows of those entities that are known, with a segment for each partition that they are in."""
    beats = heartbeats(connection)
    found: dict[Of, dict[int, list[tuple[int, int, int, int]]]] = {}
    for chunk in chunks(dict.fromkeys(keys), PARAMETERS):
        for each in map(Summed._make, connection.execute(increments_by_tile(view, chunk, folded=folded))):
            of_entity = found.setdefault((each.tenant_id, each.entity_id), {})
            measure = each.measure | (FOLDED if each.folded else 0)
            of_entity.setdefault(each.partition, []).append((each.tile, measure, each.n, each.amount))
    return Rows(
        {
            key: tuple(
                Segment(partition, beats[partition].position, packed(sorted(increments)))
                for partition, increments in sorted(of_entity.items())
            )
            for key, of_entity in found.items()
        },
        beats,
    )


def increments_by_tile(view: StreamView, keys: Sequence[Of], *, folded: bool) -> Select[Any]:
    """Columns of `Summed`. With `folded`, one row for all tiles that lie before every window and the slack.

    How far back those are is counted from the entity's newest tile.
    """
    each = (
        select(
            ENTITIES.c.tenant_id,
            ENTITIES.c.entity_id,
            INCREMENTS.c.partition,
            INCREMENTS.c.measure,
            INCREMENTS.c.tile,
            INCREMENTS.c.n,
            INCREMENTS.c.amount,
            func.max(INCREMENTS.c.tile).over(partition_by=INCREMENTS.c.entity).label("newest"),
        )
        .join_from(ENTITIES, INCREMENTS, INCREMENTS.c.entity == ENTITIES.c.id)
        .where(ENTITIES.c.view == view.name, among(ENTITIES, keys))
        .subquery()
    )
    reach = view.horizon_tiles + view.slack_tiles
    old = case((each.c.tile < each.c.newest - reach, 1), else_=0) if folded else literal(0)
    kept = [column for column in each.c if column.name != "newest"]
    grouped = select(*kept, old.label("folded")).subquery().c
    whose = (grouped.tenant_id, grouped.entity_id, grouped.partition, grouped.measure, grouped.folded)
    return select(
        *whose,
        func.max(grouped.tile),
        func.sum(grouped.n),
        # PostgreSQL sums to a numeric, which would come as a Decimal
        cast(func.sum(grouped.amount), BigInteger),
    ).group_by(*whose, case((grouped.folded == 1, 0), else_=grouped.tile))


def touched_since(connection: Connection, topic: str, partition: int, offset: int) -> dict[str, list[Of]]:
    """By view, the entities with increments from this offset on."""
    touched = (
        select(INCREMENTS.c.entity)
        .join(OFFSETS, OFFSETS.c.partition == INCREMENTS.c.partition)
        .where(OFFSETS.c.topic == topic, INCREMENTS.c.partition == partition, INCREMENTS.c.offset >= offset)
        .distinct()
        .subquery()
    )
    query = select(ENTITIES.c.view, ENTITIES.c.tenant_id, ENTITIES.c.entity_id).join_from(
        ENTITIES, touched, ENTITIES.c.id == touched.c.entity
    )
    found: dict[str, list[Of]] = {}
    for view, tenant_id, entity_id in connection.execute(query):
        found.setdefault(view, []).append((tenant_id, entity_id))
    return found


def entities(connection: Connection, view: StreamView, after: int, limit: int) -> list[tuple[int, Of]]:
    """The next entities of a view, by their number."""
    query = (
        select(ENTITIES.c.id, ENTITIES.c.tenant_id, ENTITIES.c.entity_id)
        .where(ENTITIES.c.view == view.name, ENTITIES.c.id > after)
        .order_by(ENTITIES.c.id)
        .limit(limit)
    )
    return [(number, (tenant_id, entity_id)) for number, tenant_id, entity_id in connection.execute(query)]


def count_entities(connection: Connection, view: StreamView) -> int:
    """How many entities a view has."""
    query = select(func.count()).select_from(ENTITIES).where(ENTITIES.c.view == view.name)
    return connection.execute(query).scalar_one()
