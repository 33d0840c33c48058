"""Classification of SQL errors by SQLSTATE (PostgreSQL) and by result code (SQLite). Pure.

What is not known to be a property of the values is taken for an outage: to wait for it loses nothing, while
an outage that is taken for a property of an event drains a queue into the dead letters.
"""

import sqlite3
from enum import Enum
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


class Judgement(Enum):
    """What is to be done about an error of a database."""

    OUTAGE = "wait: the same statement may succeed later"
    RACE = "run the transaction again: another one was first"
    RECORD = "set the record aside: the database can never hold its values"
    BUG = "raise it as it is: the statement itself is wrong"


_RACES: Final = {"23505", "23P01", "40001", "40P01"}  # unique, exclusion, serialization, deadlock
# data exceptions, integrity violations, and limits such as the longest index entry
_OF_THE_RECORD: Final = ("22", "23", "54")

_SQLITE_RACES: Final = {
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
}
_SQLITE_OF_THE_RECORD: Final = {
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
}
_SQLITE_BUGS: Final = {sqlite3.SQLITE_MISUSE, sqlite3.SQLITE_RANGE}
_SQLITE_OVERFLOW: Final = "integer overflow"
"""What `sum()` reports beyond 64 bits, under the code that it shares with missing tables."""

_OUTAGES_BY_NAME: Final = {"OperationalError", "InterfaceError", "InternalError"}


def judge(error: BaseException) -> Judgement:
    """The reaction that an error calls for which a statement, a connection or the pool raised."""
    match error:
        case PoolTimeoutError():
            return Judgement.OUTAGE
        case OverflowError() | UnicodeError():
            # drivers raise these as they are: an integer beyond 64 bits, half of a surrogate pair
            return Judgement.RECORD
        case DBAPIError() if error.connection_invalidated:
            return Judgement.OUTAGE
        case DBAPIError():
            return _judge_original(error)
        case _:
            return Judgement.BUG


def describe(error: BaseException) -> str:
    """An error in one line, without the values that the statement had.

    Of PostgreSQL the SQLSTATE and the primary message: its DETAIL names keys. The primary message of a data
    exception does so too: of that only the kind is named.
    """
    original = error.orig if isinstance(error, DBAPIError) else error
    if original is None or isinstance(original, OverflowError | UnicodeError):
        return type(original).__name__
    state = _sqlstate(original)
    if state is None:
        return " ".join(str(original).split())
    if state.startswith(_OF_THE_RECORD):
        return f"{type(original).__name__} (SQLSTATE {state})"
    primary = getattr(getattr(original, "diag", None), "message_primary", None)
    return f"{primary or type(original).__name__} (SQLSTATE {state})"


def _judge_original(error: DBAPIError) -> Judgement:
    original = error.orig
    if isinstance(original, sqlite3.Error):
        return _judge_sqlite(original)
    state = _sqlstate(original)
    if state is not None:
        return _judge_sqlstate(state)
    if isinstance(error, IntegrityError):
        return Judgement.RACE
    # the classes of PEP 249: what the driver itself says, or a database without SQLSTATE
    name = type(error).__name__
    if name == "DataError":
        return Judgement.RECORD
    return Judgement.OUTAGE if name in _OUTAGES_BY_NAME else Judgement.BUG


def _judge_sqlstate(state: str) -> Judgement:
    if state in _RACES:
        return Judgement.RACE
    return Judgement.RECORD if state.startswith(_OF_THE_RECORD) else Judgement.OUTAGE


def _judge_sqlite(error: sqlite3.Error) -> Judgement:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return Judgement.BUG  # the module's own: a closed connection, a type that it cannot bind
    if code in _SQLITE_RACES:
        return Judgement.RACE
    primary = code & 0xFF
    if primary in _SQLITE_OF_THE_RECORD or _SQLITE_OVERFLOW in str(error):
        return Judgement.RECORD
    return Judgement.BUG if primary in _SQLITE_BUGS else Judgement.OUTAGE


def _sqlstate(error: BaseException | None) -> str | None:
    state = getattr(error, "sqlstate", None)
    return state if isinstance(state, str) else None
