"""Exactly-once counting of a batch in SQL. Each statement belongs in a `Database.writing`."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, func, insert, select, update

from events.decision import Millis
from features.offline.batch import BACKFILL, BACKFILL_TOPIC, Fenced, StreamBatch, StreamEvent
from features.offline.sql import PARAMETERS, chunks, write_rows
from features.offline.tables import ENTITIES, EVENTS, INCREMENTS, OFFSETS

Owner = tuple[str, str, str]
"""Whose increment: view, tenant and entity id."""


def owners_of(events: Iterable[StreamEvent]) -> set[Owner]:
    """Everybody that these events add to."""
    return {(each.view, each.tenant_id, each.entity_id) for event in events for each in event.increments}


def numbers_of(connection: Connection, owners: Iterable[Owner]) -> dict[Owner, int]:
    """The numbers of those that have one."""
    found: dict[Owner, int] = {}
    grouped: dict[tuple[str, str], list[str]] = {}
    for view, tenant_id, entity_id in owners:
        grouped.setdefault((view, tenant_id), []).append(entity_id)
    for (view, tenant_id), entity_ids in grouped.items():
        for chunk in chunks(entity_ids, PARAMETERS):
            query = select(ENTITIES.c.entity_id, ENTITIES.c.id).where(
                ENTITIES.c.view == view,
                ENTITIES.c.tenant_id == tenant_id,
                ENTITIES.c.entity_id.in_(chunk),
            )
            found.update(
                ((view, tenant_id, entity_id), number) for entity_id, number in connection.execute(query)
            )
    return found


def enrol(connection: Connection, owners: Iterable[Owner]) -> dict[Owner, int]:
    """The numbers of all; those without one get the next ones, in an order that is the same for everybody."""
    owners = set(owners)
    found = numbers_of(connection, owners)
    missing = sorted(owners - found.keys())
    if missing:
        last = connection.execute(select(func.coalesce(func.max(ENTITIES.c.id), 0))).scalar_one()
        added = {owner: number for number, owner in enumerate(missing, start=last + 1)}
        write_rows(connection, ENTITIES, [(number, *owner) for owner, number in added.items()])
        found |= added
    return found


def move_offset(connection: Connection, batch: StreamBatch) -> bool:
    """Set the partition's offset, where it stands at the batch's base or nowhere. Raises `Fenced`.

    Returns whether it stood anywhere.
    """
    stand = {"next_offset": batch.position, "as_of": batch.as_of, "clock": batch.clock}
    here = OFFSETS.c.partition == batch.partition
    moved = connection.execute(
        update(OFFSETS)
        .where(here, OFFSETS.c.topic == batch.topic, OFFSETS.c.next_offset == batch.base)
        .values(stand)
    )
    if moved.rowcount:
        return True
    found = connection.execute(select(OFFSETS.c.topic, OFFSETS.c.next_offset).where(here)).one_or_none()
    if found is not None:
        raise Fenced(batch.partition, batch.base, found.next_offset)
    connection.execute(insert(OFFSETS).values(partition=batch.partition, topic=batch.topic, **stand))
    return False


def take_backfill_offsets(connection: Connection, events: Sequence[StreamEvent]) -> list[StreamEvent]:
    """The same events with offsets of the backfill, which no other event gets."""
    here = OFFSETS.c.partition == BACKFILL
    newest = max(event.event_time for event in events)
    moved = connection.execute(
        update(OFFSETS).where(here).values(next_offset=OFFSETS.c.next_offset + len(events), as_of=newest)
    )
    if not moved.rowcount:
        stand = {"next_offset": len(events), "as_of": newest, "clock": newest}
        connection.execute(insert(OFFSETS).values(partition=BACKFILL, topic=BACKFILL_TOPIC, **stand))
    end = connection.execute(select(OFFSETS.c.next_offset).where(here)).scalar_one()
    return [event._replace(offset=offset) for offset, event in enumerate(events, start=end - len(events))]


def unseen(connection: Connection, events: Sequence[StreamEvent]) -> list[StreamEvent]:
    """Those whose digest is not in the store, nor earlier among these."""
    seen: set[bytes] = set()
    for chunk in chunks([event.digest for event in events], PARAMETERS):
        seen.update(connection.execute(select(EVENTS.c.digest).where(EVENTS.c.digest.in_(chunk))).scalars())
    fresh = []
    for event in events:
        if event.digest not in seen:
            seen.add(event.digest)
            fresh.append(event)
    return fresh


def count(
    connection: Connection,
    partition: int,
    events: Sequence[StreamEvent],
    numbers: Mapping[Owner, int],
    created_at: Millis,
) -> None:
    """Put down the events and their increments."""
    write_rows(
        connection,
        EVENTS,
        # two members that count the same events at once wait for each other in one order, or they deadlock
        [
            (partition, event.offset, event.event_id, event.digest, event.event_time, created_at)
            for event in sorted(events)
        ],
    )
    rows = [
        (
            *(numbers[each.view, each.tenant_id, each.entity_id], partition, event.offset, ordinal),
            *(each.measure, each.tile, each.n, each.amount),
        )
        for event in events
        for ordinal, each in enumerate(event.increments)
    ]
    write_rows(connection, INCREMENTS, rows)
