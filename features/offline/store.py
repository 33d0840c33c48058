"""The truth of every streamed feature: what each event added, counted once. SQL on SQLite or PostgreSQL."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, Engine, select

from events.errors import ConfigError, Problem
from features.offline import reading, writing
from features.offline.batch import BACKFILL, Committed, StreamBatch, StreamEvent
from features.offline.batch_store import BatchStore
from features.offline.database import Database, open_database
from features.offline.history import History, Told, history, told
from features.offline.rows import rows
from features.offline.sql import write_rows
from features.offline.tables import METADATA, OFFSETS, VIEWS
from features.offline.writing import Owner
from features.reading import BatchRows, Heartbeat, Of, Rows
from features.schema import Definitions, layout
from features.views import BatchView, StreamView
from transport.clock import Clock, system_clock

REMEMBERED = 200_000
"""Entities whose numbers are kept in mind: some 50 MB."""


class OfflineStore:
    """Connects at the first use: what is made before a fork can be used after it.

    Every method raises `Unavailable` where the database cannot be reached, or was locked for too long.
    """

    def __init__(self, database: Database | Engine, clock: Clock = system_clock) -> None:
        self.database = database if isinstance(database, Database) else Database(database)
        self.batch = BatchStore(self.database, clock)
        self._clock = clock
        self._numbers: dict[Owner, int] = {}

    def create(self, definitions: Definitions | None = None) -> None:
        """Make the tables that are not there. Raises `ConfigError` as `declare`."""
        with self.database.creating() as connection:
            METADATA.create_all(connection)
        if definitions is not None:
            self.declare(definitions)
            for view in definitions.batch_views:
                self.batch.create(view)

    def declare(self, definitions: Definitions) -> None:
        """Write down how the increments of each view are laid out.

        Raises `ConfigError` naming the views of which increments are stored that were made otherwise.
        """
        declared = {view.name: layout(view) for view in definitions.stream_views}

        def compare(connection: Connection) -> list[str]:
            found = dict(map(tuple, connection.execute(select(VIEWS.c.view, VIEWS.c.layout))))
            new = [(name, text) for name, text in declared.items() if name not in found]
            write_rows(connection, VIEWS, new)
            return [name for name, text in declared.items() if found.get(name, text) != text]

        if changed := self.database.write(compare):
            raise ConfigError(
                Problem(
                    "offline feature store",
                    0,
                    name,
                    "its measures or its resolution differ from those that stored increments were made by: "
                    "give the view another name, or backfill an empty database",
                )
                for name in changed
            )

    def positions(self, topic: str) -> dict[int, int]:
        """The next offset to count of each partition of a topic of which anything was counted."""
        query = select(OFFSETS.c.partition, OFFSETS.c.next_offset).where(OFFSETS.c.topic == topic)
        with self.database.reading() as connection:
            return dict(map(tuple, connection.execute(query)))

    def heartbeats(self) -> dict[int, Heartbeat]:
        """How far each partition is counted, that of the backfill among them."""
        with self.database.reading() as connection:
            return reading.heartbeats(connection)

    def commit(self, batch: StreamBatch) -> Committed:
        """Count a batch and move its partition's offset: both or neither.

        Raises `Fenced` where the offset stands elsewhere than at the batch's base.
        """
        numbers = self._enrol(batch.events)

        def count(connection: Connection) -> list[StreamEvent]:
            writing.move_offset(connection, batch)
            fresh = writing.unseen(connection, batch.events)
            writing.count(connection, batch.partition, fresh, numbers, self._clock())
            return fresh

        return Committed(self.database.write(count))

    def append_history(self, events: Sequence[StreamEvent]) -> Committed:
        """Count events that come from elsewhere than the stream; they are given offsets of their own."""
        if not events:
            return Committed([])
        numbers = self._enrol(events)

        def count(connection: Connection) -> list[StreamEvent]:
            fresh = writing.unseen(connection, writing.take_backfill_offsets(connection, events))
            writing.count(connection, BACKFILL, fresh, numbers, self._clock())
            return fresh

        return Committed(self.database.write(count))

    def rows(self, view: StreamView, keys: Sequence[Of], *, folded: bool = True) -> Rows:
        """The increments of these entities; where `folded` is false, each in the tile that it fell in."""
        with self.database.reading() as connection:
            return rows(connection, view, keys, folded=folded)

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

    def _enrol(self, events: Iterable[StreamEvent]) -> Mapping[Owner, int]:
        """The numbers of whom these events are about.

        New ones are committed on their own: one that nothing was counted for yet does no harm, and a number
        is kept in mind only once it is there to stay.
        """
        owners = writing.owners_of(events)
        if len(self._numbers) > REMEMBERED:
            self._numbers = {}
        # the difference of a set and a dict goes through all of the dict
        if new := [owner for owner in owners if owner not in self._numbers]:
            self._numbers |= self.database.write(lambda connection: writing.enrol(connection, new))
        return self._numbers


def open_offline(url: str) -> OfflineStore:
    """The store at an SQLAlchemy URL, which connects at the first use. Raises `ConfigError`."""
    return OfflineStore(open_database(url))
