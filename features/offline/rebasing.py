"""Rebase onto a recreated topic: what was counted is kept, and the new log is counted from offset 0."""

from sqlalchemy import Connection, delete, func, insert, select, update

from features.offline.batch import BACKFILL, BACKFILL_TOPIC
from features.offline.store import OfflineStore
from features.offline.tables import EVENTS, FRAUDS, INCREMENTS, OFFSETS, ORDERS, ROLLED, TILES


def rebase(store: OfflineStore) -> int:
    """Make all that was counted from the log that is gone part of the history; how much history there is.

    The tables must be there, and no pipeline at work. Online rows that name the old offsets must go as well:
    a reader that misses one puts it again. Raises `Unavailable`.
    """
    with store.database.writing() as connection:
        return _rebase(connection)


def _rebase(connection: Connection) -> int:
    streamed = OFFSETS.c.partition >= 0
    end, clock, partitions = connection.execute(
        select(
            func.coalesce(func.max(OFFSETS.c.next_offset), 0),
            func.coalesce(func.max(OFFSETS.c.clock), 0),
            func.coalesce(func.max(OFFSETS.c.partition), 0) + 1,
        ).where(streamed)
    ).one()
    history = OFFSETS.c.partition == BACKFILL
    begin = connection.execute(select(OFFSETS.c.next_offset).where(history)).scalar_one_or_none()
    for table in (EVENTS, INCREMENTS, ORDERS, FRAUDS):
        # an offset of its own for each: beyond all that the history has, and by partition
        moved = (begin or 0) + table.c.offset * partitions + table.c.partition
        connection.execute(
            update(table).where(table.c.partition >= 0).values(partition=BACKFILL, offset=moved)
        )
    # sums are of partitions that are gone: the next pipeline makes them again
    for derived in (TILES, ROLLED):
        connection.execute(delete(derived))
    connection.execute(delete(OFFSETS).where(streamed))
    reached = (begin or 0) + int(end) * int(partitions)
    if begin is not None:
        connection.execute(update(OFFSETS).where(history).values(next_offset=reached))
    elif reached:
        stand = {"next_offset": reached, "as_of": clock, "clock": clock}
        connection.execute(insert(OFFSETS).values(partition=BACKFILL, topic=BACKFILL_TOPIC, **stand))
    return reached
