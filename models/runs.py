"""Training ledger in SQL: a lease for the run of a model, and the dataset versions not yet seen.

A run holds a lease with a fencing token (Kleppmann, *Designing Data-Intensive Applications*, chapter 8): who
was frozen for longer than the lease is told so at its next step, and what it made is not registered. Holders
go by their own clocks: where two differ by more than a lease, work is done twice, and one token stays void.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from events.decision import Millis
from models import run_rows
from models.retraining import Known
from models.run_states import FAILED, LEASE_MS, DatasetUpdate, Outcome, Run
from models.run_tables import RUNS, UPDATES
from transport.clock import Clock, system_clock
from transport.database import Database
from transport.lease import Held, LeaseLostError
from transport.migration import prepare
from transport.sql_limits import WRITING

__all__ = ["LEASE_MS", "DatasetUpdate", "Held", "LeaseLostError", "Outcome", "Run", "Runs"]


class Runs:
    """Connects at the first use. Every method raises `Unavailable`."""

    def __init__(self, database: Database, clock: Clock = system_clock) -> None:
        self._database = database.of("training ledger").within(WRITING)
        self._clock = clock

    def create(self) -> None:
        """Set up an empty store. Raises `ConfigError` if it is of another revision than this build's."""
        prepare(self._database)

    def enter(self, told: Sequence[DatasetUpdate]) -> list[bool]:
        """Write dataset versions down, all or none; of each, whether this event is the one that stands.

        That is the first one of the version. An event that comes again is told the same.
        """

        def write(connection: Connection) -> list[bool]:
            now = self._clock()
            return [run_rows.enter(connection, each, now) for each in told]

        return self._database.write(write)

    def known(self, model: str, tenant_id: str) -> Known:
        """What a decision about this model goes by."""
        with self._database.reading() as connection:
            return run_rows.known(connection, model, tenant_id, self._clock())

    def begin(self, model: str, tenant_id: str, holder: str, *, covering: bool = True) -> Run | Held:
        """Take the lease and, where `covering`, cover every dataset version that no run has seen.

        A run on other data than the plan's covers none: what waits for the plan goes on waiting.
        """

        def write(connection: Connection) -> Run | Held:
            token = run_rows.begin(connection, model, holder, self._clock())
            if isinstance(token, Held):
                return token
            if not covering:
                return Run(model, token, ())
            pending = (UPDATES.c.model == model, UPDATES.c.tenant_id == tenant_id, UPDATES.c.run.is_(None))
            connection.execute(update(UPDATES).where(*pending).values(run=token))
            query = select(UPDATES.c.dataset_version).where(UPDATES.c.model == model, UPDATES.c.run == token)
            return Run(
                model, token, tuple(connection.execute(query.order_by(UPDATES.c.received_at)).scalars())
            )

        return self._database.write(write)

    def renew(self, run: Run) -> None:
        """Keep the lease. Raises `LeaseLostError` if it is another run's."""
        self._database.write(lambda connection: run_rows.hold(connection, run, self._clock() + LEASE_MS))

    def end(self, run: Run, outcome: Outcome, finding: str) -> None:
        """Write down how it ended, and let go of the lease. Raises `LeaseLostError`.

        What a run covered that came to no end is again as if no run had seen it.
        """

        def write(connection: Connection) -> None:
            run_rows.hold(connection, run, 0)
            run_rows.ended(connection, run.model, run.token, outcome, finding, self._clock())

        self._database.write(write)

    def fail(self, model: str, since: Millis, finding: str) -> None:
        """Write down that a training failed that came not as far as to take its lease.

        Nothing if a run that began at `since` (epoch ms) or later has ended as failed, or has the lease.
        """

        def write(connection: Connection) -> None:
            here = (RUNS.c.model == model, RUNS.c.began_at >= since, RUNS.c.state.in_(FAILED))
            if connection.execute(select(RUNS.c.token).where(*here)).first() is None:
                now = self._clock()
                token = run_rows.begin(connection, model, "nobody", now)
                if not isinstance(token, Held):
                    run_rows.hold(connection, Run(model, token, ()), 0)
                    run_rows.ended(connection, model, token, "failed", finding, now)

        self._database.write(write)
