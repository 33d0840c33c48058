"""SQL databases: engines, transactions with time limits, and one judgement of errors for all owners."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from events.errors import ConfigError, DeadLetter, Problem, Unavailable
from transport import sql_tls, sqlite
from transport.sql_errors import Judgement, describe, judge
from transport.sql_limits import WRITING, Limits

ATTEMPTS: Final = 8
"""How often a transaction is run that others come before."""
SILENCE_S: Final = 10
"""How long a PostgreSQL host may not answer on the network at all."""
GRACE_S: Final = 1.0
"""How much longer than the server's own limit a client waits at most for the server to act on it."""

T = TypeVar("T")

_CREATING: Final = 0x5167_6E61
"""Signalbox's advisory lock in PostgreSQL."""


class UnstorableError(DeadLetter):
    """A value that the database can never hold: text with NUL, a number out of range. Its record fails."""

    def __init__(self, owner: str, reason: str) -> None:
        super().__init__("rejected", f"{owner}: a value cannot be stored: {reason}")


class Database:
    """An engine, and two kinds of transactions: one that writes, and one that sees a single moment.

    Connects at the first use: make it before a fork, use it after. `owner` is what errors and logs name.
    Every transaction raises `Unavailable` for whatever may pass, and `UnstorableError` for what the values of
    a record cause.
    """

    def __init__(self, engine: Engine, owner: str = "database", limits: Limits = WRITING) -> None:
        self.engine = engine
        self.owner = owner
        self.limits = limits
        self._postgresql = engine.dialect.name == "postgresql"

    def of(self, owner: str) -> "Database":
        """The same database, as that of another owner."""
        return Database(self.engine, owner, self.limits)

    def within(self, limits: Limits) -> "Database":
        """The same database, with other limits. The connections are shared."""
        return Database(self.engine, self.owner, limits)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Committed at the end, rolled back by an error. Raises `RaceError` if another one was first."""
        # a SQLite transaction that reads first and writes later fails if another one wrote in between
        with self._begun(**{sqlite.BEGIN: "BEGIN IMMEDIATE"}) as connection:
            yield connection

    def write(self, action: Callable[[Connection], T]) -> T:
        """Run `action` in a transaction, once more if another one wrote the same key first."""
        for _ in range(ATTEMPTS):
            try:
                with self.writing() as connection:
                    return action(connection)
            except RaceError as error:
                lost = error
        raise lost

    @contextmanager
    def creating(self) -> Iterator[Connection]:
        """As `writing`, for one process at a time."""
        with self.writing() as connection:
            if self._postgresql:
                # to look and to make is not one step there: two that begin together would collide
                connection.execute(select(func.pg_advisory_xact_lock(_CREATING)))
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """All statements see the database as it was at the first one."""
        options: dict[str, Any] = {}
        if self._postgresql:
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._begun(**options) as connection:
            yield connection

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    @contextmanager
    def _begun(self, **options: Any) -> Iterator[Connection]:
        with self._judged(), self.engine.connect() as connection:
            connection.execution_options(**{sqlite.LIMITS: self.limits}, **options)
            if self._postgresql:
                driver: Any = connection.connection.driver_connection
                driver.answer_s = self.limits.statement_s + min(self.limits.statement_s, GRACE_S)
            with connection.begin():
                if self._postgresql:
                    # for this transaction only: a pooler in between may give the session to another client
                    connection.execute(select(*_settings(self.limits)))
                yield connection

    @contextmanager
    def _judged(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, PoolTimeoutError, OverflowError, UnicodeError) as error:
            # the chain is cut: the driver's own text has the values of the statement in it
            match judge(error):
                case Judgement.OUTAGE:
                    raise Unavailable(self.owner, describe(error)) from None
                case Judgement.RACE:
                    raise RaceError(self.owner, describe(error)) from None
                case Judgement.RECORD:
                    raise UnstorableError(self.owner, describe(error)) from None
                case Judgement.BUG:
                    raise


class RaceError(Unavailable):
    """Another transaction was first. `Database.write` runs its action again; elsewhere it is an outage."""


def open_database(url: str, owner: str = "database", limits: Limits = WRITING) -> Database:
    """The database at an SQLAlchemy URL: SQLite, PostgreSQL by psycopg, or BigQuery.

    Raises `ConfigError` if it is none of them, or if its driver is missing.
    """
    try:
        # a statement's parameters are names and tickets: errors and logs do not get them
        engine = create_engine(url, hide_parameters=True, **_options(url, limits))
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise _unusable(str(error)) from error
    except ValueError:
        # a password with a slash or a colon is taken for a port, and quoted
        raise _unusable("it is no URL: percent-encode what is special in its user or password") from None
    if engine.dialect.name == "sqlite":
        sqlite.prepare(engine)
    elif engine.dialect.name == "postgresql":
        _bound(engine)
    elif engine.dialect.name != "bigquery":
        raise _unusable(f"{engine.dialect.name} is neither SQLite nor PostgreSQL")
    return Database(engine, owner, limits)


def _unusable(why: str) -> ConfigError:
    return ConfigError([Problem("environment", 0, "DATABASE_URL", f"cannot be used: {why}")])


def _bound(engine: Engine) -> None:
    if (problem := sql_tls.problem(engine.url.query)) is not None:
        raise _unusable(problem)
    if engine.dialect.driver != "psycopg":
        raise _unusable(f"the driver {engine.dialect.driver} has no time limits: write postgresql+psycopg://")
    # imported here, since psycopg is an extra: SQLite needs none of it
    from transport.postgresql import BoundedConnection

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, args: list[Any], kwargs: dict[str, Any]) -> object:
        return BoundedConnection.connect(*args, **kwargs)


def _options(url: str, limits: Limits) -> dict[str, Any]:
    backend = make_url(url).get_backend_name()
    if backend == "sqlite":
        return {"connect_args": {"timeout": limits.lock_s}}
    if backend == "postgresql":
        return {
            "connect_args": {
                "connect_timeout": limits.connect_s,
                # a host that is gone says nothing: the kernel would wait a quarter of an hour for it
                "tcp_user_timeout": SILENCE_S * 1_000,
                "keepalives_idle": SILENCE_S,
                "keepalives_interval": SILENCE_S // 2,
            },
            "pool_size": 2,
            "max_overflow": 8,
            "pool_timeout": limits.connect_s,
            # what a proxy has closed meanwhile is not tried; what a restart closed raises Unavailable once
            "pool_recycle": 1_800,
        }
    return {}


def _settings(limits: Limits) -> Iterator[ColumnElement[str]]:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    for name, seconds in zip(names, limits[:3], strict=True):
        yield func.set_config(name, str(round(seconds * 1_000)), True)
