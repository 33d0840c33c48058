"""The tables of batch views, and how far they were put online."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from events.decision import Millis
from features.offline import batch_tables
from features.offline.batch_tables import Cursor, Version, batch_table
from features.offline.tables import WATERMARKS
from features.reading import BatchRows, Of
from features.views import BatchView
from transport.clock import Clock
from transport.database import Database

Row = tuple[Of, Millis, Mapping[str, float | str]]
"""Whose, since when it holds (epoch ms), and its values by name."""


class Watermark(NamedTuple):
    """Up to where a view was put online. `complete`: nothing came after that when it was reached.

    All that stood in the table at `as_of` (epoch ms) is online; 0 if no run has come to its end.
    """

    cursor: Cursor
    complete: bool
    as_of: Millis


class BatchStore:
    """Every method raises `Unavailable`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create(self, view: BatchView) -> None:
        """Make the view's table where it is not there."""
        with self._database.creating() as connection:
            batch_table(view).metadata.create_all(connection)

    def add(self, view: BatchView, rows: Iterable[Row]) -> None:
        """Add rows to the view's table, written now. A field that is missing in a row gets its default."""
        now = self._clock()
        defaults = {field.name: field.default for field in view.fields}
        versions = [
            Version(*key, event_time, now, tuple({**defaults, **values}[name] for name in view.names))
            for key, event_time, values in rows
        ]
        self._database.write(lambda connection: batch_tables.add_versions(connection, view, versions))

    def rows(self, view: BatchView, keys: Sequence[Of]) -> BatchRows:
        """The newest row of each of these entities."""
        with self._database.reading() as connection:
            found = batch_tables.newest(connection, view, keys)
            reached = _watermark(connection, view)
        return BatchRows(found, (reached.as_of or None) if reached else None)

    def versions(self, view: BatchView, keys: Sequence[Of]) -> list[Version]:
        """Every row of these entities, in the order in which they took effect."""
        with self._database.reading() as connection:
            return batch_tables.versions(connection, view, keys)

    def written_after(self, view: BatchView, cursor: Cursor, limit: int) -> list[Version]:
        """The next rows in the order in which they were written."""
        with self._database.reading() as connection:
            return batch_tables.written_after(connection, view, cursor, limit)

    def count_after(self, view: BatchView, cursor: Cursor) -> int:
        """How many rows were written after a place."""
        with self._database.reading() as connection:
            return batch_tables.count_after(connection, view, cursor)

    def watermark(self, view: BatchView) -> Watermark | None:
        """Up to where the view was put online; None if it never was."""
        with self._database.reading() as connection:
            return _watermark(connection, view)

    def reached(self, view: BatchView, watermark: Watermark) -> None:
        """Write down up to where the view was put online."""
        stand = {**watermark.cursor._asdict(), "complete": int(watermark.complete), "as_of": watermark.as_of}

        def replace(connection: Connection) -> None:
            here = update(WATERMARKS).where(WATERMARKS.c.view == view.name)
            if not connection.execute(here.values(stand)).rowcount:
                connection.execute(insert(WATERMARKS).values(view=view.name, **stand))

        self._database.write(replace)


def _watermark(connection: Connection, view: BatchView) -> Watermark | None:
    table = WATERMARKS.c
    place = (table.created_at, table.tenant_id, table.entity_id, table.event_time)
    query = select(*place, table.complete, table.as_of).where(table.view == view.name)
    found = connection.execute(query).one_or_none()
    return None if found is None else Watermark(Cursor(*found[:4]), bool(found[4]), found[5])
