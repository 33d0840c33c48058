"""The tables of batch views: each is filled by the pipeline, if its view has an origin, or from outside.

    tenant_id, entity_id    whose row
    event_time              since when it holds, epoch ms: not in the future
    created_at              when it was written, epoch ms; of two for one event time the later written counts
    …                       a column for each field of the view

Rows are added, and never changed: a table that is refilled gives its rows a `created_at` that is later.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Double,
    MetaData,
    Select,
    String,
    Table,
    and_,
    func,
    or_,
    select,
)

from events.decision import Millis
from features.offline.sql import PARAMETERS, among, chunks, write_rows
from features.offline.tables import index
from features.reading import Of, Values
from features.views import BatchView

_WHOSE = ("tenant_id", "entity_id")
_TIMES = ("event_time", "created_at")


class Version(NamedTuple):
    """One row of a batch view's table; times in epoch ms."""

    tenant_id: str
    entity_id: str
    event_time: Millis
    created_at: Millis
    values: tuple[float | str, ...]


class Cursor(NamedTuple):
    """A place in the order in which rows were written."""

    created_at: Millis
    tenant_id: str = ""
    entity_id: str = ""
    event_time: Millis = -1


@lru_cache
def batch_table(view: BatchView) -> Table:
    """The table that a view reads."""
    key = tuple(Column(name, String(256), primary_key=True) for name in _WHOSE)
    times = tuple(
        Column(name, BigInteger, primary_key=True, autoincrement=False)
        for name in ("event_time", "created_at")
    )
    fields = (
        Column(field.name, Double if field.type == "number" else String(1024), nullable=False)
        for field in view.fields
    )
    by_writing = index(f"{view.table}_by_writing", "created_at", *_WHOSE, "event_time")
    return Table(view.table, MetaData(), *key, *times, *fields, by_writing)


def add_versions(connection: Connection, view: BatchView, versions: Iterable[Version]) -> None:
    """Add rows to the table."""
    write_rows(connection, batch_table(view), [(*version[:4], *version.values) for version in versions])


def newest(connection: Connection, view: BatchView, keys: Sequence[Of]) -> dict[Of, Values]:
    """The row that holds for each entity that has one."""
    found: dict[Of, Values] = {}
    for chunk in chunks(dict.fromkeys(keys), PARAMETERS):
        for row in connection.execute(_newest(view, chunk)):
            version = _version(row)
            found[version[:2]] = Values(
                version.event_time, dict(zip(view.names, version.values, strict=True))
            )
    return found


def versions(connection: Connection, view: BatchView, keys: Sequence[Of]) -> list[Version]:
    """Every row of these entities, in the order in which they took effect."""
    table = batch_table(view)
    order = (table.c.event_time, table.c.created_at)
    return [
        _version(row)
        for chunk in chunks(dict.fromkeys(keys), PARAMETERS)
        for row in connection.execute(_all(view).where(among(table, chunk)).order_by(*order))
    ]


def written_after(connection: Connection, view: BatchView, cursor: Cursor, limit: int) -> list[Version]:
    """The next rows in the order in which they were written."""
    table = batch_table(view)
    query = _all(view).where(_after(table, cursor)).order_by(*_by_writing(table)).limit(limit)
    return [_version(row) for row in connection.execute(query)]


def count_after(connection: Connection, view: BatchView, cursor: Cursor) -> int:
    """How many rows were written after a place."""
    table = batch_table(view)
    return connection.execute(
        select(func.count()).select_from(table).where(_after(table, cursor))
    ).scalar_one()


def _all(view: BatchView) -> Select[Any]:
    table = batch_table(view)
    return select(*(table.c[name] for name in (*_WHOSE, *_TIMES, *view.names)))


def _newest(view: BatchView, keys: Sequence[Of]) -> Select[Any]:
    table = batch_table(view)
    later = func.row_number().over(
        partition_by=[table.c[name] for name in _WHOSE],
        order_by=[table.c.event_time.desc(), table.c.created_at.desc()],
    )
    ranked = _all(view).add_columns(later.label("place")).where(among(table, keys)).subquery()
    return select(*(column for column in ranked.c if column.name != "place")).where(ranked.c.place == 1)


def _version(row: Sequence[Any]) -> Version:
    tenant_id, entity_id, event_time, created_at, *values = row
    return Version(tenant_id, entity_id, event_time, created_at, tuple(values))


def _by_writing(table: Table) -> tuple[Column[Any], ...]:
    return (table.c.created_at, *(table.c[name] for name in _WHOSE), table.c.event_time)


def _after(table: Table, cursor: Cursor) -> ColumnElement[bool]:
    """Whether a row comes after a place: row values would say it shorter, BigQuery has no order for them."""
    earlier: list[ColumnElement[bool]] = []
    conditions = []
    for column, value in zip(_by_writing(table), cursor, strict=True):
        conditions.append(and_(*earlier, column > value))
        earlier.append(column == value)
    # the first alone lets the index be used
    return and_(table.c.created_at >= cursor.created_at, or_(*conditions))
