"""Key-value texts of a local stack, in the database of its features."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Column, MetaData, String, Table, delete, insert, select

from transport.database import Database, open_database

MARKS = Table(
    "stack_marks",
    MetaData(),
    Column("name", String(64), primary_key=True),
    Column("value", String(512), nullable=False),
)


class Marks:
    """Makes its table where it is missing. Every method raises `Unavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database.of("stack marks")
        with self._database.creating() as connection:
            MARKS.metadata.create_all(connection)

    def get(self, name: str) -> str | None:
        """What was set, if anything."""
        with self._database.reading() as connection:
            return connection.execute(select(MARKS.c.value).where(MARKS.c.name == name)).scalar_one_or_none()

    def set(self, name: str, value: str | None) -> None:
        """In place of what was set before; None leaves nothing."""
        with self._database.writing() as connection:
            connection.execute(delete(MARKS).where(MARKS.c.name == name))
            if value is not None:
                connection.execute(insert(MARKS).values(name=name, value=value))


@contextmanager
def marks_in(url: str) -> Iterator[Marks]:
    """Those of a database, for the length of a `with`. Raises `ConfigError` and `Unavailable`."""
    database = open_database(url)
    try:
        yield Marks(database)
    finally:
        database.close()
