"""SQL helpers of the offline tier: statements over many values."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    String,
    Table,
    cast,
    func,
    insert,
    or_,
)

from features.reading import Of
from features.sums import HALF, LOW

PARAMETERS = 5_000
"""Values in one statement: SQLite takes 32,766, PostgreSQL 65,535."""

T = TypeVar("T")


def write_rows(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows that have a value for each column, in the table's order."""
    if not rows:
        return
    # a third of what counting an event costs is this: SQLAlchemy's own parameters would double it
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            _columnwise(table, connection.dialect), tuple(map(list, zip(*rows, strict=True)))
        )
    elif connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_rowwise(table, connection.dialect), list(rows))
    else:
        names = table.columns.keys()
        connection.execute(insert(table), [dict(zip(names, row, strict=True)) for row in rows])


@lru_cache
def _rowwise(table: Table, dialect: Dialect) -> str:
    return str(insert(table).compile(dialect=dialect))


@lru_cache
def _columnwise(table: Table, dialect: Dialect) -> str:
    """One array a column: a third less than a row at a time, even in psycopg's pipeline."""
    prepare = dialect.identifier_preparer
    names = ", ".join(prepare.format_column(column) for column in table.columns)
    arrays = ", ".join(f"%s::{_array(column, dialect)}" for column in table.columns)
    return f"INSERT INTO {prepare.format_table(table)} ({names}) SELECT * FROM unnest({arrays})"  # noqa: S608  # our own names


def _array(column: Column[Any], dialect: Dialect) -> str:
    # a cast to VARCHAR(256) would cut off what is longer, and call two entities by one name
    return "TEXT[]" if isinstance(column.type, String) else f"{column.type.compile(dialect)}[]"


def halves(amount: ColumnElement[int]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """The halves of a number as `features.sums` has them, whose sums cannot overflow."""
    low = amount.bitwise_and(LOW)
    # an exact quotient, where a shift would depend on the database's idea of a sign
    return (amount - low) // HALF, low


def total(numbers: ColumnElement[int]) -> ColumnElement[int]:
    """Their sum as an integer: PostgreSQL sums to a numeric, which would come as a Decimal."""
    return cast(func.sum(numbers), BigInteger)


def among(table: Table, keys: Iterable[Of]) -> ColumnElement[bool]:
    """Whether a row is of one of these entities."""
    by_tenant: dict[str, list[str]] = {}
    for tenant_id, entity_id in keys:
        by_tenant.setdefault(tenant_id, []).append(entity_id)
    return or_(
        *(
            (table.c.tenant_id == tenant_id) & table.c.entity_id.in_(entity_ids)
            for tenant_id, entity_ids in by_tenant.items()
        )
    )


def chunks(items: Iterable[T], size: int) -> Iterable[list[T]]:
    """Lists of `size` items, the last one shorter."""
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk
