"""How is the offline tier's database reached? Transactions of the kind that each use needs."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from events.errors import ConfigError, Problem, Unavailable

DEPENDENCY = "offline feature store"
ATTEMPTS = 8
"""How often a transaction is tried that another one came before."""
CONNECT_TIMEOUT_S = 5
SILENCE_S = 10
"""How long a PostgreSQL host may not answer on the network at all."""
LOCK_TIMEOUT_S = 10
"""How long a writer waits for another one to finish, in SQLite, which has one at a time."""

T = TypeVar("T")

_BEGIN: Final = "signalbox_begin"
_NO_TABLE: Final = "42P01"
_CREATING: Final = 0x5167_6E61
"""A number that nobody else locks in PostgreSQL."""
_WAL_ATTEMPTS, _WAL_PAUSE_S = 100, 0.05
_PRAGMAS = (
    "journal_mode = WAL",
    # a power cut may take the last commits, whole: offsets go with the increments, and Kafka has them still
    "synchronous = NORMAL",
    # each checkpoint waits for the disk: one in 32 MB, not in 4
    "wal_autocheckpoint = 8192",
    "cache_size = -65536",
    "temp_store = MEMORY",
)


class Database:
    """An engine, and the two kinds of transactions: one that writes, and one that sees a single moment.

    Connects at the first use: make it wherever you like, use it after the fork. Whatever fails because the
    database cannot be reached, has been locked for too long, or has no tables yet, raises `Unavailable`.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.sqlite = engine.dialect.name == "sqlite"
        if self.sqlite:
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Committed at the end, rolled back by an error."""
        with unavailable(), self.engine.connect() as connection:
            # a SQLite transaction that reads first and writes later fails where another wrote in between
            connection.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
            with connection.begin():
                yield connection

    def write(self, action: Callable[[Connection], T]) -> T:
        """Run `action` in a transaction, anew where another one was first to write the same key."""
        for _ in range(ATTEMPTS):
            try:
                with self.writing() as connection:
                    return action(connection)
            except IntegrityError as error:
                conflict = error
        raise Unavailable(DEPENDENCY, conflict.orig) from conflict

    @contextmanager
    def creating(self) -> Iterator[Connection]:
        """As `writing`, for one at a time."""
        with self.writing() as connection:
            if connection.dialect.name == "postgresql":
                # to look and to make is not one step there: two members that begin together would collide
                connection.execute(select(func.pg_advisory_xact_lock(_CREATING)))
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """All statements see the database as it was at the first one."""
        with unavailable(), self.engine.connect() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def open_database(url: str, *, lock_timeout_s: float = LOCK_TIMEOUT_S) -> Database:
    """The database at an SQLAlchemy URL. Raises `ConfigError` where it is none, or its driver is missing."""
    try:
        return Database(create_engine(url, **_options(url, lock_timeout_s)))
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigError([Problem("environment", 0, "DATABASE_URL", f"cannot be used: {error}")]) from error


def _options(url: str, lock_timeout_s: float) -> dict[str, Any]:
    backend = make_url(url).get_backend_name()
    if backend == "sqlite":
        return {"connect_args": {"timeout": lock_timeout_s}}
    if backend == "postgresql":
        return {
            "connect_args": {
                "connect_timeout": CONNECT_TIMEOUT_S,
                # a host that is gone says nothing: the kernel would wait a quarter of an hour for it
                "tcp_user_timeout": SILENCE_S * 1_000,
                "keepalives_idle": SILENCE_S,
                "keepalives_interval": SILENCE_S // 2,
            },
            "pool_size": 2,
            "max_overflow": 8,
            "pool_timeout": CONNECT_TIMEOUT_S,
            # what a proxy has closed meanwhile is not tried; what a restart closed raises Unavailable once
            "pool_recycle": 1_800,
        }
    return {}


@contextmanager
def unavailable() -> Iterator[None]:
    """What a database raises that cannot be reached, is locked or has no tables yet becomes `Unavailable`."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        raise Unavailable(DEPENDENCY, getattr(error, "orig", error)) from error
    except DBAPIError as error:
        # SQLite says of a missing table what it says of a missing disk; PostgreSQL tells them apart
        if error.connection_invalidated or getattr(error.orig, "sqlstate", None) == _NO_TABLE:
            raise Unavailable(DEPENDENCY, error.orig) from error
        raise


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # else the driver begins transactions by itself, and only at the first write
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        _set(connection, pragma)


def _set(connection: sqlite3.Connection, pragma: str) -> None:
    """SQLite waits for nobody where two turn a new file to its write-ahead log: one of them is refused."""
    for _ in range(_WAL_ATTEMPTS):
        try:
            connection.execute(f"PRAGMA {pragma}")
        except sqlite3.OperationalError:
            time.sleep(_WAL_PAUSE_S)
        else:
            return
    connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))
