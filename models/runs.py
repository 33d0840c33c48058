"""Who trains a model now, and which dataset versions has no run seen yet? A ledger in SQL.

A run holds a lease with a fencing token (Kleppmann, *Designing Data-Intensive Applications*, chapter 8): who
was frozen for longer than the lease is told so at its next step, and what it made is not registered. Holders
go by their own clocks: where two differ by more than a lease, work is done twice, and one token stays void.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Connection, func, insert, select, update
from sqlalchemy.engine import CursorResult

from events.decision import Millis
from events.errors import SignalboxError
from features.offline.database import Database
from models.retraining import Known
from models.run_tables import LEASES, METADATA, RUNS, UPDATES
from transport.clock import Clock, system_clock

LEASE_MS = 60_000
"""How long a run may say nothing before another one may begin."""

Outcome = Literal[
    "registered",  # a new version, or one that was there already with the same digest
    "refused",  # the gate let nothing through
    "stopped",  # from outside, which is nobody's failure
    "failed",  # it came to no end
]
State = Literal["running", "lost"] | Outcome  # lost: its lease ran out, and another run began
FAILED: tuple[State, ...] = ("failed", "lost")
UNENDED: tuple[State, ...] = (*FAILED, "stopped")


class LeaseLostError(SignalboxError):
    """Another run of this model began: whatever this one made is void."""


@dataclass(frozen=True, slots=True)
class DatasetUpdate:
    """What an event `dataset.updated` said; times in epoch ms."""

    tenant_id: str
    model: str
    dataset_version: str
    rows_added: int
    triggered_at: Millis
    event_id: str


@dataclass(frozen=True, slots=True)
class Run:
    """One training that may go on, and the dataset versions that it covers, by name."""

    model: str
    token: int
    covers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody else trains this model, or may until then (epoch ms)."""

    holder: str
    until: Millis


class Runs:
    """Connects at the first use. Every method raises `Unavailable`."""

    def __init__(self, database: Database, clock: Clock = system_clock) -> None:
        self._database = database
        self._clock = clock

    def create(self) -> None:
        """Make the tables that are not there."""
        with self._database.creating() as connection:
            METADATA.create_all(connection)

    def enter(self, told: Sequence[DatasetUpdate]) -> list[bool]:
        """Write dataset versions down, all or none; of each, whether this event is the one that stands.

        That is the first one of the version. An event that comes again is told the same.
        """

        def write(connection: Connection) -> list[bool]:
            now = self._clock()
            return [_enter(connection, each, now) for each in told]

        return self._database.write(write)

    def known(self, model: str, tenant_id: str) -> Known:
        """What a decision about this model goes by."""
        with self._database.reading() as connection:
            return _known(connection, model, tenant_id, self._clock())

    def begin(self, model: str, tenant_id: str, holder: str, *, covering: bool = True) -> Run | Held:
        """Take the lease and, where `covering`, cover every dataset version that no run has seen.

        A run on other data than the plan's covers none: what waits for the plan goes on waiting.
        """

        def write(connection: Connection) -> Run | Held:
            token = _begin(connection, model, holder, self._clock())
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
        """Keep the lease. Raises `LeaseLostError` where it is another run's."""
        self._database.write(lambda connection: _hold(connection, run, self._clock() + LEASE_MS))

    def end(self, run: Run, outcome: Outcome, finding: str) -> None:
        """Write down how it ended, and let go of the lease. Raises `LeaseLostError`.

        What a run covered that came to no end is again as if no run had seen it.
        """

        def write(connection: Connection) -> None:
            _hold(connection, run, 0)
            _ended(connection, run.model, run.token, outcome, finding, self._clock())

        self._database.write(write)

    def fail(self, model: str, since: Millis, finding: str) -> None:
        """Write down that a training failed that came not as far as to take its lease.

        Nothing where a run that began at `since` (epoch ms) or later has ended as failed, or has the lease.
        """

        def write(connection: Connection) -> None:
            here = (RUNS.c.model == model, RUNS.c.began_at >= since, RUNS.c.state.in_(FAILED))
            if connection.execute(select(RUNS.c.token).where(*here)).first() is None:
                now = self._clock()
                token = _begin(connection, model, "nobody", now)
                if not isinstance(token, Held):
                    _hold(connection, Run(model, token, ()), 0)
                    _ended(connection, model, token, "failed", finding, now)

        self._database.write(write)


def _enter(connection: Connection, told: DatasetUpdate, now: Millis) -> bool:
    here = (
        UPDATES.c.tenant_id == told.tenant_id,
        UPDATES.c.model == told.model,
        UPDATES.c.dataset_version == told.dataset_version,
    )
    stands = connection.execute(select(UPDATES.c.event_id).where(*here)).scalar()
    if stands is None:
        connection.execute(insert(UPDATES).values(**asdict(told), received_at=now))
    return stands in (None, told.event_id)


def _begin(connection: Connection, model: str, holder: str, now: Millis) -> int | Held:
    token = _take_lease(connection, model, holder, now)
    if not isinstance(token, Held):
        _give_up_the_lost(connection, model, now)
        row = {"model": model, "token": token, "holder": holder, "began_at": now}
        connection.execute(insert(RUNS).values(**row, state="running", finding=""))
    return token


def _take_lease(connection: Connection, model: str, holder: str, now: Millis) -> int | Held:
    of_model = LEASES.c.model == model
    until = now + LEASE_MS
    granted = connection.execute(
        update(LEASES)
        .where(of_model, LEASES.c.until <= now)
        .values(token=LEASES.c.token + 1, holder=holder, until=until)
    )
    row = connection.execute(select(LEASES.c.token, LEASES.c.holder, LEASES.c.until).where(of_model)).first()
    if row is None:  # where two are first at once, one of them meets the other's key and tries anew
        connection.execute(insert(LEASES).values(model=model, token=1, holder=holder, until=until))
        return 1
    return int(row.token) if granted.rowcount else Held(row.holder, row.until)


def _hold(connection: Connection, run: Run, until: Millis) -> None:
    mine = (LEASES.c.model == run.model, LEASES.c.token == run.token)
    held: CursorResult[object] = connection.execute(update(LEASES).where(*mine).values(until=until))
    if not held.rowcount:
        raise LeaseLostError(
            f"{run.model}: another training began while this one said nothing for {LEASE_MS // 1_000} s: "
            "nothing of it is registered"
        )


def _give_up_the_lost(connection: Connection, model: str, now: Millis) -> None:
    query = select(RUNS.c.token).where(RUNS.c.model == model, RUNS.c.state == "running")
    for token in connection.execute(query).scalars().all():
        _ended(connection, model, token, "lost", "it said nothing any more", now)


def _ended(connection: Connection, model: str, token: int, state: State, finding: str, now: Millis) -> None:
    here = (RUNS.c.model == model, RUNS.c.token == token)
    connection.execute(update(RUNS).where(*here).values(state=state, finding=finding, ended_at=now))
    if state in UNENDED:
        covered = (UPDATES.c.model == model, UPDATES.c.run == token)
        connection.execute(update(UPDATES).where(*covered).values(run=None))


def _known(connection: Connection, model: str, tenant_id: str, now: Millis) -> Known:
    until = connection.execute(select(LEASES.c.until).where(LEASES.c.model == model)).scalar() or 0
    unseen: ColumnElement[bool] = UPDATES.c.run.is_(None)
    if until <= now:
        # nobody is at work: what stands as running said nothing any more, and has seen nothing
        lost = select(RUNS.c.token).where(RUNS.c.model == model, RUNS.c.state == "running")
        unseen |= UPDATES.c.run.in_(lost.scalar_subquery())
    total = func.coalesce(func.sum(UPDATES.c.rows_added), 0)
    newest = func.coalesce(func.max(UPDATES.c.received_at), 0)
    pending = (UPDATES.c.model == model, UPDATES.c.tenant_id == tenant_id, unseen)
    rows, came = connection.execute(select(total, newest).where(*pending)).one()
    ended = select(func.coalesce(func.max(RUNS.c.token), 0)).where(
        RUNS.c.model == model, RUNS.c.state.not_in((*UNENDED, "running"))
    )
    failed = (
        RUNS.c.model == model,
        RUNS.c.state.in_(FAILED),
        RUNS.c.token > ended.scalar_subquery(),
        RUNS.c.began_at >= came,
    )
    last = func.coalesce(func.max(RUNS.c.ended_at), 0)
    failures, failed_at = connection.execute(select(func.count(), last).where(*failed)).one()
    return Known(pending=int(rows), newest=came, failures=failures, failed_at=failed_at, leased_until=until)
