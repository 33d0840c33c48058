"""Queries for a transaction of `Database.reading`: positions, entities, watermarks."""

from sqlalchemy import Connection, func, select

from events.decision import Millis
from features.offline.tables import ENTITIES, INCREMENTS, OFFSETS
from features.reading import Heartbeat, Of
from features.views import StreamView


def heartbeats(connection: Connection) -> dict[int, Heartbeat]:
    """How far each partition is counted."""
    query = select(OFFSETS.c.partition, OFFSETS.c.next_offset, OFFSETS.c.as_of, OFFSETS.c.clock)
    return {partition: Heartbeat(*stand) for partition, *stand in connection.execute(query)}


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


def span(connection: Connection, view: StreamView, tenant_id: str) -> tuple[Millis, Millis] | None:
    """When the first and the last of what a view has of a tenant happened, by the view's resolution."""
    whose = select(ENTITIES.c.id).where(ENTITIES.c.view == view.name, ENTITIES.c.tenant_id == tenant_id)
    tile = INCREMENTS.c.tile
    query = select(func.min(tile), func.max(tile)).where(INCREMENTS.c.entity.in_(whose))
    first, last = connection.execute(query).one()
    return None if first is None else (first * view.tile_ms, last * view.tile_ms)


def count_entities(connection: Connection, view: StreamView) -> int:
    """How many entities a view has."""
    query = select(func.count()).select_from(ENTITIES).where(ENTITIES.c.view == view.name)
    return connection.execute(query).scalar_one()
