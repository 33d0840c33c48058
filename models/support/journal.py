"""Journal of agent runs in SQL: their steps, and the lease of the worker that may go on.

Each step is committed before the next one begins, and only under the ticket's lease.
"""

import os
import socket
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import msgspec
from sqlalchemy import Connection, insert, select, update

from events.decision import Millis
from events.errors import Unavailable
from models.support.journal_tables import RUNS, STEPS
from models.support.leases import LEASE_MS, TICKETS, Beat
from models.support.steps import Ended, Step, decode_step, encode_step, kind
from transport.clock import Clock, system_clock
from transport.database import Database
from transport.lease import Held, Lease, LeaseLostError
from transport.migration import prepare

__all__ = ["Journal", "JournaledRun", "LeaseLostError", "Run", "RunRow", "StepRow"]


class JournaledRun(Protocol):
    """One run that this worker holds: the steps that were committed, and the only way to add one."""

    @property
    def run_id(self) -> str:
        """The prediction's id."""

    @property
    def steps(self) -> Sequence[Step]:
        """All that was committed, the oldest first."""

    def append(self, *steps: Step, within: Callable[[Connection], None] | None = None) -> None:
        """Commit these steps, and in the same transaction what `within` does, first.

        Nothing is written where `within` raises. Raises `LeaseLostError` if another worker has the ticket
        by now, and `Unavailable`: what this run has in memory may be behind then, and it is opened again.
        """


class RunRow(NamedTuple):
    """Whose run it is, and which version it began with. Times are epoch ms."""

    run_id: str
    tenant_id: str
    ticket_id: str
    event_id: str
    model_id: str
    began_at: Millis
    ended_at: Millis | None = None


class StepRow(NamedTuple):
    """One step of a run, when it was committed (epoch ms), and under which fencing token."""

    number: int
    at: Millis
    token: int
    step: Step


class Journal:
    """All runs. Connects at the first use; thread-safe. Every method raises `Unavailable`."""

    def __init__(self, database: Database, clock: Clock = system_clock, beat: Beat | None = None) -> None:
        self._database = database.of("agent journal")
        self._clock = clock
        self._beat = beat or Beat(self._database, clock)
        self._holder = f"{socket.gethostname()}:{os.getpid()}"

    def create(self) -> None:
        """Set up an empty store. Raises `ConfigError` if it is of another revision than this build's."""
        prepare(self._database)

    def open(self, row: RunRow) -> "Run":
        """Take the ticket, and the run up where it stopped; it begins where there is none.

        Raises `Unavailable` as long as another worker has the ticket. Close it again.
        """

        def write(connection: Connection) -> tuple[Lease | Held, list[Step]]:
            lease = TICKETS.take(connection, (row.tenant_id, row.ticket_id), self._holder, self._clock())
            if isinstance(lease, Held):
                return lease, []
            if connection.execute(select(RUNS.c.run_id).where(RUNS.c.run_id == row.run_id)).first() is None:
                connection.execute(insert(RUNS).values(row._asdict()))
            return lease, [each.step for each in _steps(connection, row.run_id)]

        lease, steps = self._database.write(write)
        if isinstance(lease, Held):
            raise Unavailable(f"ticket {row.ticket_id}", f"{lease.holder} works on it")
        self._beat.keep(lease)
        return Run(self._database, self._clock, self._beat, lease, row.run_id, steps)

    def of_event(self, event_id: str) -> list[RunRow]:
        """The runs of an event, the oldest first: one for each tenant, source and arm that it came with."""
        query = select(RUNS).where(RUNS.c.event_id == event_id).order_by(RUNS.c.began_at, RUNS.c.run_id)
        with self._database.reading() as connection:
            return [RunRow(*row) for row in connection.execute(query)]

    def steps(self, run_id: str) -> list[StepRow]:
        """The steps of a run, by any worker."""
        with self._database.reading() as connection:
            return _steps(connection, run_id)


class Run:
    """A `JournaledRun` under a lease. Leave its `with` block to let go of the ticket; not thread-safe."""

    def __init__(
        self, database: Database, clock: Clock, beat: Beat, lease: Lease, run_id: str, steps: Sequence[Step]
    ) -> None:
        self.run_id = run_id
        self._database = database
        self._clock = clock
        self._beat = beat
        self._lease = lease
        self._steps = list(steps)

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def taken_up(self) -> int:
        """How often workers took this ticket, for all its escalations: its lease's token counts them."""
        return self._lease.token

    @property
    def steps(self) -> Sequence[Step]:
        """All that was committed, the oldest first."""
        return tuple(self._steps)

    def append(self, *steps: Step, within: Callable[[Connection], None] | None = None) -> None:
        """As `JournaledRun` says."""

        def write(connection: Connection) -> None:
            now = self._clock()
            # first of all, so that PostgreSQL locks the row: who takes the ticket now waits for this commit
            TICKETS.hold(connection, self._lease, now + LEASE_MS)
            if within is not None:
                within(connection)
            for number, step in enumerate(steps, len(self._steps) + 1):
                row = {"run_id": self.run_id, "number": number, "kind": kind(step), "at": now}
                connection.execute(
                    insert(STEPS).values(**row, token=self._lease.token, step=encode_step(step))
                )
                if isinstance(step, Ended):
                    here = RUNS.c.run_id == self.run_id
                    connection.execute(update(RUNS).where(here).values(ended_at=now))

        self._database.write(write)
        self._steps += steps

    def close(self) -> None:
        """Let go of the ticket. One whose lease cannot be given back is free once it has run out."""
        self._beat.leave(self._lease)
        try:
            self._database.write(lambda connection: TICKETS.hold(connection, self._lease, 0))
        except (LeaseLostError, Unavailable):
            return


def _steps(connection: Connection, run_id: str) -> list[StepRow]:
    columns = (STEPS.c.number, STEPS.c.at, STEPS.c.token, STEPS.c.step)
    rows = connection.execute(select(*columns).where(STEPS.c.run_id == run_id).order_by(STEPS.c.number))
    return [StepRow(number, at, token, _read(run_id, number, step)) for number, at, token, step in rows]


def _read(run_id: str, number: int, step: str) -> Step:
    try:
        return decode_step(step)
    except msgspec.ValidationError as error:
        # a newer version's: one of its workers goes on with the run, while this one is being replaced
        raise Unavailable(f"run {run_id}", f"this code cannot read its step {number}: {error}") from error
