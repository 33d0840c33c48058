"""The reading half of the offline store."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from events.decision import Millis
from features.offline import reading
from features.offline.batch_store import BatchStore
from features.offline.history import History, Told, history, told
from features.offline.rows import rows, rows_within
from features.offline.tables import OFFLINE_STORE, OFFSETS
from features.reading import BatchRows, Heartbeat, Of, Rows, Span, Within
from features.views import BatchView, StreamView
from transport.clock import Clock, system_clock
from transport.database import Database


class OfflineReader:
    """Connects at the first use: what is made before a fork can be used after it.

    Every method raises `Unavailable` if the database cannot be reached, was locked for too long, or has no
    tables yet.
    """

    def __init__(self, database: Database, clock: Clock = system_clock) -> None:
        self.database = database.of(OFFLINE_STORE)
        self.batch = BatchStore(self.database, clock)

    def positions(self, topic: str) -> dict[int, int]:
        """The next offset to count of each partition of a topic of which anything was counted."""
        query = select(OFFSETS.c.partition, OFFSETS.c.next_offset).where(OFFSETS.c.topic == topic)
        with self.database.reading() as connection:
            return dict(map(tuple, connection.execute(query)))

    def heartbeats(self) -> dict[int, Heartbeat]:
        """How far each partition is counted, that of the backfill among them."""
        with self.database.reading() as connection:
            return reading.heartbeats(connection)

    def rows(self, view: StreamView, keys: Sequence[Of]) -> Rows:
        """The rows of these entities, for questions from about now on."""
        with self.database.reading() as connection:
            return rows(connection, view, keys)

    def rows_within(self, view: StreamView, spans: Sequence[Span]) -> Within:
        """What answers questions of the past: as much as each span needs."""
        with self.database.reading() as connection:
            return rows_within(connection, view, spans)

    def batch_rows(self, view: BatchView, keys: Sequence[Of]) -> BatchRows:
        """The newest row of each of these entities."""
        return self.batch.rows(view, keys)

    def increments(self, view: StreamView, keys: Sequence[Of]) -> History:
        """All increments of these entities, which differ from each other, one by one."""
        with self.database.reading() as connection:
            return history(connection, view, keys)

    def told(self, view: StreamView, key: Of, limit: int) -> list[Told]:
        """The newest increments of one entity, the newest first, with the events that they are of."""
        with self.database.reading() as connection:
            return [Told(*row) for row in connection.execute(told(view, key, limit))]

    def count_entities(self, view: StreamView) -> int:
        """How many entities a view has."""
        with self.database.reading() as connection:
            return reading.count_entities(connection, view)

    def span(self, view: StreamView, tenant_id: str) -> tuple[Millis, Millis] | None:
        """When the first and the last of what a view has of a tenant happened (epoch ms); else None."""
        with self.database.reading() as connection:
            return reading.span(connection, view, tenant_id)

    def entities(self, view: StreamView, after: int, limit: int) -> list[tuple[int, Of]]:
        """The next entities that a view has, by their number."""
        with self.database.reading() as connection:
            return reading.entities(connection, view, after, limit)

    def touched_since(self, topic: str, partition: int, offset: int) -> Mapping[str, Sequence[Of]]:
        """By view, the entities with increments from this offset of a partition on."""
        with self.database.reading() as connection:
            return reading.touched_since(connection, topic, partition, offset)

    def close(self) -> None:
        """Give the connections back."""
        self.database.close()
