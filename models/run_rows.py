"""Rows of the training ledger, written within the transaction that `models.runs` holds."""

from dataclasses import asdict

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from events.decision import Millis
from models.retraining import Known
from models.run_states import (
    FAILED,
    LEASE_MS,
    UNENDED,
    DatasetUpdate,
    Run,
    State,
)
from models.run_tables import LEASES, RUNS, UPDATES
from transport.lease import Held, Lease, Leases

TRAININGS = Leases(LEASES, LEASE_MS, "{0}", "another training took over; nothing of this one is registered")


def enter(connection: Connection, told: DatasetUpdate, now: Millis) -> bool:
    """Write a dataset version down; whether this event is the one that stands."""
    here = (
        UPDATES.c.tenant_id == told.tenant_id,
        UPDATES.c.model == told.model,
        UPDATES.c.dataset_version == told.dataset_version,
    )
    stands = connection.execute(select(UPDATES.c.event_id).where(*here)).scalar()
    if stands is None:
        connection.execute(insert(UPDATES).values(**asdict(told), received_at=now))
    return stands in (None, told.event_id)


def begin(connection: Connection, model: str, holder: str, now: Millis) -> int | Held:
    """Take the lease under its next token, and write down that a run goes on."""
    lease = TRAININGS.take(connection, (model,), holder, now)
    if isinstance(lease, Held):
        return lease
    _give_up_the_lost(connection, model, now)
    row = {"model": model, "token": lease.token, "holder": holder, "began_at": now}
    connection.execute(insert(RUNS).values(**row, state="running", finding=""))
    return lease.token


def hold(connection: Connection, run: Run, until: Millis) -> None:
    """Keep the lease until then (epoch ms; 0: let go). Raises `LeaseLostError` if another run took it."""
    TRAININGS.hold(connection, Lease((run.model,), run.token), until)


def _give_up_the_lost(connection: Connection, model: str, now: Millis) -> None:
    query = select(RUNS.c.token).where(RUNS.c.model == model, RUNS.c.state == "running")
    for token in connection.execute(query).scalars().all():
        ended(
            connection,
            model,
            token,
            "lost",
            "lease lost: another training took over",
            now,
        )


def ended(connection: Connection, model: str, token: int, state: State, finding: str, now: Millis) -> None:
    """Write down how a run ended; what one covered that came to no end is free again."""
    here = (RUNS.c.model == model, RUNS.c.token == token)
    connection.execute(update(RUNS).where(*here).values(state=state, finding=finding, ended_at=now))
    if state in UNENDED:
        covered = (UPDATES.c.model == model, UPDATES.c.run == token)
        connection.execute(update(UPDATES).where(*covered).values(run=None))


def known(connection: Connection, model: str, tenant_id: str, now: Millis) -> Known:
    """What a decision about this model goes by."""
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
