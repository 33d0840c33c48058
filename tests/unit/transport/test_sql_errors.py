"""Each kind of SQL error has one judgement, and its description has none of the values."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, literal, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from events.errors import Unavailable
from transport.database import Database, RaceError, UnstorableError, open_database
from transport.sql_errors import Judgement, describe, judge

OUTAGE, RACE, RECORD, BUG = Judgement.OUTAGE, Judgement.RACE, Judgement.RECORD, Judgement.BUG


class Diagnostics:
    """What PostgreSQL says of an error beside its SQLSTATE."""

    message_primary = "the primary message"
    message_detail = "Key (ticket_id)=(T-secret) already exists."


class StatedError(Exception):
    """As psycopg's errors are: with a SQLSTATE."""

    diag = Diagnostics()

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__("the primary message\nDETAIL:  Key (ticket_id)=(T-secret) already exists.")
        self.sqlstate = sqlstate


def wrapped(original: Exception, kind: type[DBAPIError] = DBAPIError) -> DBAPIError:
    """As SQLAlchemy raises it."""
    return kind("SELECT 1", None, original)


@pytest.mark.parametrize(
    ("sqlstate", "expected"),
    [
        pytest.param("08006", OUTAGE, id="connection failure"),
        pytest.param("25006", OUTAGE, id="read-only transaction"),
        pytest.param("28P01", OUTAGE, id="wrong password"),
        pytest.param("3D000", OUTAGE, id="the database is not there"),
        pytest.param("42501", OUTAGE, id="insufficient privilege"),
        pytest.param("42703", OUTAGE, id="undefined column"),
        pytest.param("42804", OUTAGE, id="a column of another type"),
        pytest.param("42P01", OUTAGE, id="undefined table"),
        pytest.param("53100", OUTAGE, id="disk full"),
        pytest.param("53200", OUTAGE, id="out of memory"),
        pytest.param("53300", OUTAGE, id="too many connections"),
        pytest.param("55P03", OUTAGE, id="lock timeout"),
        pytest.param("57014", OUTAGE, id="statement timeout"),
        pytest.param("57P01", OUTAGE, id="admin shutdown"),
        pytest.param("57P03", OUTAGE, id="cannot connect now"),
        pytest.param("58030", OUTAGE, id="I/O error"),
        pytest.param("XX001", OUTAGE, id="data corrupted"),
        pytest.param("40001", RACE, id="serialization failure"),
        pytest.param("40P01", RACE, id="deadlock"),
        pytest.param("23505", RACE, id="unique violation"),
        pytest.param("22003", RECORD, id="number out of range"),
        pytest.param("22021", RECORD, id="not in the encoding"),
        pytest.param("22001", RECORD, id="text too long"),
        pytest.param("22008", RECORD, id="date out of range"),
        pytest.param("23502", RECORD, id="not null violation"),
        pytest.param("23514", RECORD, id="check violation"),
        pytest.param("54000", RECORD, id="too long for an index"),
    ],
)
def test_postgresql_is_judged_by_its_sqlstate(sqlstate: str, expected: Judgement) -> None:
    assert judge(wrapped(StatedError(sqlstate))) is expected


def test_a_description_names_the_state_and_no_key() -> None:
    unique, overflow = wrapped(StatedError("40001")), wrapped(StatedError("22003"))
    assert describe(unique) == "the primary message (SQLSTATE 40001)"
    assert describe(overflow) == "StatedError (SQLSTATE 22003)"


def test_a_pool_without_a_free_connection_is_an_outage() -> None:
    assert judge(PoolTimeoutError("QueuePool limit")) is OUTAGE


@pytest.mark.parametrize(
    "error", [OverflowError("9223372036854775808"), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates")]
)
def test_what_a_driver_cannot_write_is_the_records_fault(error: Exception) -> None:
    assert judge(error) is RECORD
    assert describe(error) == type(error).__name__


METADATA = MetaData()
THINGS = Table(
    "things", METADATA, Column("id", Integer, primary_key=True), Column("name", String, nullable=False)
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """One table with one row, in SQLite."""
    with closing(open_database(f"sqlite:///{tmp_path / 'things.db'}", "store of things")) as made:
        with made.writing() as connection:
            METADATA.create_all(connection)
            connection.execute(insert(THINGS).values(id=1, name="first"))
        yield made


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        pytest.param(insert(THINGS).values(id=1, name="again"), RaceError, id="a key that is there"),
        pytest.param(insert(THINGS).values(id=2, name=None), UnstorableError, id="nothing for a name"),
        pytest.param(insert(THINGS).values(id=2**63, name="x"), UnstorableError, id="a number too large"),
        pytest.param(insert(THINGS).values(id=2, name="\ud800"), UnstorableError, id="half of a pair"),
        pytest.param(insert(THINGS).values(id="x", name="x"), UnstorableError, id="text for a key"),
        pytest.param(
            select(func.sum(literal(2**62))).select_from(
                THINGS.join(text("(VALUES (1), (2))"), text("true"))
            ),
            UnstorableError,
            id="a sum beyond 64 bits",
        ),
        pytest.param(text("SELECT 1 FROM nothing"), Unavailable, id="no such table"),
        pytest.param(text("SELECT nothing FROM things"), Unavailable, id="no such column"),
    ],
)
def test_sqlite_is_judged_by_its_code(database: Database, statement: object, expected: type) -> None:
    with pytest.raises(expected) as raised, database.writing() as connection:
        connection.execute(statement)  # type: ignore[call-overload]  # of several kinds
    assert "store of things" in str(raised.value)
    assert type(raised.value) is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param(sqlite3.SQLITE_BUSY, OUTAGE, id="locked"),
        pytest.param(sqlite3.SQLITE_READONLY, OUTAGE, id="read-only"),
        pytest.param(sqlite3.SQLITE_IOERR, OUTAGE, id="I/O error"),
        pytest.param(sqlite3.SQLITE_FULL, OUTAGE, id="disk full"),
        pytest.param(sqlite3.SQLITE_CANTOPEN, OUTAGE, id="cannot be opened"),
        pytest.param(sqlite3.SQLITE_CORRUPT, OUTAGE, id="corrupt"),
        pytest.param(sqlite3.SQLITE_NOTADB, OUTAGE, id="not a database"),
        pytest.param(sqlite3.SQLITE_INTERRUPT, OUTAGE, id="interrupted by its limit"),
        pytest.param(sqlite3.SQLITE_TOOBIG, RECORD, id="too big"),
        pytest.param(sqlite3.SQLITE_MISUSE, BUG, id="misuse"),
    ],
)
def test_what_a_disk_or_a_file_does_to_sqlite_is_an_outage(code: int, expected: Judgement) -> None:
    error = sqlite3.OperationalError("as SQLite says")
    error.sqlite_errorcode = code
    assert judge(wrapped(error)) is expected


def test_a_statement_that_is_wrong_is_raised_as_it_is(database: Database) -> None:
    with pytest.raises(DBAPIError) as raised, database.writing() as connection:
        connection.execute(text("SELECT :name"), {"name": object()})
    assert judge(raised.value) is BUG
