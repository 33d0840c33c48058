"""Who may work on a ticket? One worker, under a lease with a fencing token.

Each step is written only under the newest token (Kleppmann, *Designing Data-Intensive Applications*,
chapter 8): a worker that was frozen for longer than its lease writes nothing any more. Holders go by their
own clocks: where two differ by more than a lease, one of them loses a run that it had, and no step is written
twice.
"""

import logging
import threading
import time
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select, update

from events.decision import Millis
from events.errors import SignalboxError, Unavailable
from models.support.journal_tables import LEASES
from transport.clock import Clock
from transport.database import Database

log = logging.getLogger(__name__)

LEASE_MS = 15_000
"""How long a worker may say nothing of a ticket before another one takes it over."""
BEAT_S = 5.0
"""How often it says so."""

_C = LEASES.c


class LeaseLostError(SignalboxError):
    """Another worker has the ticket by now: nothing more may be written, or done, in this run."""


class Lease(NamedTuple):
    """That somebody may work on this ticket."""

    tenant_id: str
    ticket_id: str
    token: int

    @property
    def mine(self) -> ColumnElement[bool]:
        """The row, as long as nobody else took the ticket."""
        return and_(_ticket(self.tenant_id, self.ticket_id), _C.token == self.token)


class Held(NamedTuple):
    """Somebody else works on the ticket, or may until then (epoch ms)."""

    holder: str
    until: Millis


def take(connection: Connection, tenant_id: str, ticket_id: str, holder: str, now: Millis) -> Lease | Held:
    """The lease under its next token, where nobody has it."""
    here, until = _ticket(tenant_id, ticket_id), now + LEASE_MS
    granted = connection.execute(
        update(LEASES).where(here, _C.until <= now).values(token=_C.token + 1, holder=holder, until=until)
    )
    row = connection.execute(select(_C.token, _C.holder, _C.until).where(here)).first()
    if row is None:  # where two are first at once, one of them meets the other's key and tries anew
        named = {"tenant_id": tenant_id, "ticket_id": ticket_id}
        connection.execute(insert(LEASES).values(**named, token=1, holder=holder, until=until))
        return Lease(tenant_id, ticket_id, 1)
    if not granted.rowcount:
        return Held(row.holder, row.until)
    return Lease(tenant_id, ticket_id, int(row.token))


def hold(connection: Connection, lease: Lease, until: Millis) -> None:
    """Keep it until then (epoch ms; 0: let go). Raises `LeaseLostError` where it is another worker's."""
    if not connection.execute(update(LEASES).where(lease.mine).values(until=until)).rowcount:
        raise LeaseLostError(
            f"ticket {lease.ticket_id} of {lease.tenant_id}: another worker took it over while this one "
            f"said nothing for {LEASE_MS // 1_000} s"
        )


def _ticket(tenant_id: str, ticket_id: str) -> ColumnElement[bool]:
    return and_(_C.tenant_id == tenant_id, _C.ticket_id == ticket_id)


class Beat:
    """Keeps the leases of one process, in one statement for all of them. Thread-safe.

    Its thread begins with the first lease and ends with the process.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._held: set[Lease] = set()
        self._thread: threading.Thread | None = None

    def keep(self, lease: Lease) -> None:
        """Renew it from now on."""
        with self._lock:
            self._held.add(lease)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="agent-leases", daemon=True)
                self._thread.start()

    def leave(self, lease: Lease) -> None:
        """Renew it no more."""
        with self._lock:
            self._held.discard(lease)

    def renew(self) -> None:
        """Once. Who has lost a lease is told so at the run's next step. Raises `Unavailable`."""
        with self._lock:
            held = tuple(self._held)
        if held:
            until = self._clock() + LEASE_MS
            self._database.write(lambda connection: _renew(connection, held, until))

    def _run(self) -> None:
        while True:
            time.sleep(BEAT_S)
            try:
                self.renew()
            except Unavailable as error:
                log.warning("the leases of tickets were not renewed: %s", error)


def _renew(connection: Connection, held: Iterable[Lease], until: Millis) -> None:
    # one that was let go meanwhile stays free
    every = or_(*(lease.mine for lease in sorted(held)))
    connection.execute(update(LEASES).where(every, _C.until > 0).values(until=until))
