"""SQLite as Signalbox needs it: write-ahead log, explicit transactions, and a bound on each of them."""

import sqlite3
import time
from typing import Any, Final, cast

from sqlalchemy import Connection, Engine, event

from transport.sql_limits import Limits

BEGIN: Final = "signalbox_begin"
"""The execution option that names the statement by which a transaction begins."""
LIMITS: Final = "signalbox_limits"
"""The execution option that has the transaction's time limits."""

_LOOK_EACH: Final = 20_000
"""Instructions of SQLite's virtual machine between two looks at the clock: about a millisecond."""
_WAL_ATTEMPTS, _WAL_PAUSE_S = 100, 0.05
_PRAGMAS: Final = (
    "journal_mode = WAL",
    # a power cut may take the last commits, whole: offsets go with the increments, and Kafka has them still
    "synchronous = NORMAL",
    # each checkpoint waits for the disk: one in 32 MB, not in 4
    "wal_autocheckpoint = 8192",
    "cache_size = -65536",
    "temp_store = MEMORY",
)


def prepare(engine: Engine) -> None:
    """Have each connection of an engine set up, and each transaction begun as its options say."""
    event.listen(engine, "connect", _connected)
    event.listen(engine, "begin", _begin)


def _connected(connection: sqlite3.Connection, _record: object) -> None:
    # else the driver begins transactions by itself, and only at the first write
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        _set(connection, pragma)


def _set(connection: sqlite3.Connection, pragma: str) -> None:
    """SQLite does not wait if two connections turn a new file to its write-ahead log: it refuses one."""
    for _ in range(_WAL_ATTEMPTS):
        try:
            connection.execute(f"PRAGMA {pragma}")
        except sqlite3.OperationalError:
            time.sleep(_WAL_PAUSE_S)
        else:
            return
    connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if (limits := cast("Limits | None", options.get(LIMITS))) is not None:
        driver: Any = connection.connection.driver_connection
        _limit(driver, limits)
    connection.exec_driver_sql(options.get(BEGIN, "BEGIN"))


def _limit(driver: sqlite3.Connection, limits: Limits) -> None:
    driver.execute(f"PRAGMA busy_timeout = {round(limits.lock_s * 1_000)}")
    deadline = time.monotonic() + limits.lock_s + limits.statement_s
    # a statement that runs on beyond it is interrupted
    driver.set_progress_handler(lambda: time.monotonic() > deadline, _LOOK_EACH)
