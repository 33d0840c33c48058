"""The truth of every streamed feature: what each event added, counted once. SQL on SQLite or PostgreSQL."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import count

from sqlalchemy import Connection, select

from events.errors import Unavailable
from features.offline import rolling, stated, writing
from features.offline.batch import BACKFILL, Committed, StreamBatch, StreamEvent
from features.offline.layouts import refuse_changed
from features.offline.outcomes import write_outcomes
from features.offline.reader import OfflineReader
from features.offline.sql import write_rows
from features.offline.tables import OFFLINE_STORE, VIEWS
from features.offline.writing import Owner
from features.schema import Definitions, layout
from features.views import BatchView, StreamView
from transport.clock import Clock, system_clock
from transport.database import Database, open_database
from transport.migration import prepare
from transport.sql_limits import WRITING, Limits

ROLLS_AT_ONCE = 5
"""A batch waits for no more: what an old store has of a busy entity is added up over several batches."""
REMEMBERED = 200_000
"""Entities whose numbers are kept in mind: some 50 MB."""


class OfflineStore(OfflineReader):
    """Counts events beside. Every method raises `Unavailable` as those of the reader."""

    def __init__(self, database: Database, clock: Clock = system_clock) -> None:
        super().__init__(database, clock)
        self._clock = clock
        self._numbers: dict[Owner, int] = {}
        self._views: dict[str, StreamView] = {}
        self._filled: dict[str, BatchView] = {}

    def create(self, definitions: Definitions | None = None) -> None:
        """Set up an empty store, and the table of each batch view that has none.

        Raises `ConfigError` as `declare`, and if the store is of another revision than this build's.
        """
        prepare(self.database)
        if definitions is not None:
            self.declare(definitions)
            self._roll_old()
            for view in definitions.batch_views:
                self.batch.create(view)

    def declare(self, definitions: Definitions) -> None:
        """Write down how the increments of each view are laid out.

        Raises `ConfigError` naming the views of which increments are stored that were made otherwise.
        """
        declared = {view.name: layout(view) for view in definitions.stream_views}

        def compare(connection: Connection) -> dict[str, str]:
            found = dict(map(tuple, connection.execute(select(VIEWS.c.view, VIEWS.c.layout))))
            write_rows(connection, VIEWS, [item for item in declared.items() if item[0] not in found])
            return found

        refuse_changed(self.database.write(compare), definitions)
        self._views = {view.name: view for view in definitions.stream_views}
        self._filled = {view.name: view for view in definitions.batch_views if view.origin is not None}

    def commit(self, batch: StreamBatch) -> Committed:
        """Count a batch and move its partition's offset: both or neither.

        Raises `Fenced` if the offset stands elsewhere than at the batch's base.
        """
        numbers = self._enrol(batch.events)

        def add(connection: Connection) -> tuple[list[StreamEvent], bool]:
            known = writing.move_offset(connection, batch)
            fresh = writing.unseen(connection, batch.events)
            entities = numbers if known else writing.enrol(connection, writing.owners_of(fresh))
            writing.count(connection, batch.partition, fresh, entities, self._clock())
            stated.add(connection, self._filled, fresh, self._clock())
            write_outcomes(connection, batch.partition, fresh)
            return fresh, known

        fresh, known = self.database.write(add)
        # the first batch of a partition may be the first of a database made anew under our hands
        self._numbers = numbers if known else {}
        self._roll_up(batch.partition, fresh, self._numbers)
        return Committed(fresh)

    def append_history(self, events: Sequence[StreamEvent]) -> Committed:
        """Count events that come from elsewhere than the stream; they are given offsets of their own."""
        if not events:
            return Committed([])
        numbers = self._enrol(events)

        def add(connection: Connection) -> list[StreamEvent]:
            fresh = writing.unseen(connection, writing.take_backfill_offsets(connection, events))
            writing.count(connection, BACKFILL, fresh, numbers, self._clock())
            stated.add(connection, self._filled, fresh, self._clock())
            write_outcomes(connection, BACKFILL, fresh)
            return fresh

        fresh = self.database.write(add)
        self._numbers = numbers
        self._roll_up(BACKFILL, fresh, numbers)
        return Committed(fresh)

    def _roll_up(self, partition: int, events: Sequence[StreamEvent], numbers: Mapping[Owner, int]) -> None:
        """Add up what came of the busy among those that these events are about."""
        for number, name in rolling.chosen(events, numbers).items():
            # what was counted is counted: sums that could not be written now are written next time
            with suppress(Unavailable):
                self._roll(name, number, partition, ROLLS_AT_ONCE)

    def _roll_old(self) -> None:
        """Add up what a store has that was filled before it kept sums, once."""
        with self.database.reading() as connection:
            if rolling.looked_through(connection):
                return
            busy = rolling.busy(connection)
        for name, number, partition in busy:
            self._roll(name, number, partition)
        self.database.write(rolling.note_looked_through)

    def _roll(self, name: str, number: int, partition: int, most: int | None = None) -> None:
        view = self._views.get(name)
        if view is None:
            return
        action = partial(rolling.roll, view=view, entity=number, partition=partition)
        for _ in count(1) if most is None else range(most):
            if not self.database.write(action):
                break

    def _enrol(self, events: Iterable[StreamEvent]) -> dict[Owner, int]:
        """The numbers of whom these events are about, for the caller to keep in mind once it has succeeded.

        Whatever fails may have met a database that was put back, where they are other entities'. New ones are
        committed on their own: one that nothing was counted for yet does no harm, and a number is kept in
        mind only once it is there to stay.
        """
        numbers, self._numbers = self._numbers, {}
        owners = writing.owners_of(events)
        if len(numbers) > REMEMBERED:
            numbers = {}
        # the difference of a set and a dict goes through all of the dict
        if new := [owner for owner in owners if owner not in numbers]:
            numbers |= self.database.write(lambda connection: writing.enrol(connection, new))
        return numbers


def open_offline(url: str, limits: Limits = WRITING) -> OfflineStore:
    """The store at an SQLAlchemy URL, which connects at the first use. Raises `ConfigError`."""
    return OfflineStore(open_database(url, OFFLINE_STORE, limits))
