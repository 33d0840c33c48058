"""Time limits of SQL transactions, by use."""

from typing import NamedTuple


class Limits(NamedTuple):
    """What bounds each transaction of one use, in seconds: a statement, a lock, and idleness in between.

    In SQLite the sum of the first two bounds a transaction, and `lock_s` its wait for another writer.
    `connect_s` is that of the limits with which a database was opened; psycopg has no less than 2.
    """

    statement_s: float
    lock_s: float
    idle_s: float = 60.0
    connect_s: int = 5


SERVING = Limits(statement_s=0.5, lock_s=0.25, connect_s=2)
"""A read for which there is another answer: predictions wait for it."""
WAITING = Limits(statement_s=4.0, lock_s=2.0, connect_s=2)
"""A read for events that wait for its answer: well below the shortest soft time limit of a task, 10 s."""
WRITING = Limits(statement_s=30.0, lock_s=10.0)
"""Journals, ledgers, the feature pipeline and commands: they have nothing else to do meanwhile."""
BATCH = Limits(statement_s=600.0, lock_s=30.0, idle_s=600.0)
"""Reads over all entities: nights, inactive customers."""
TRAINING = Limits(statement_s=3_600.0, lock_s=60.0, idle_s=3_600.0)
"""Reads of a whole history."""
