"""The leases of tickets: one worker at a time works on each, and writes each step under its token."""

import threading

from events.decision import Millis
from models.support.journal_tables import LEASES
from transport.clock import Clock
from transport.database import Database
from transport.lease import Lease, Leases, Renewals
from transport.sql_limits import WAITING

LEASE_MS: Millis = 15_000
"""After so long without a renewal another worker takes a ticket over."""
BEAT_S = 5.0
"""How often a ticket is renewed: its statement may take less than that."""

TICKETS = Leases(LEASES, LEASE_MS, "ticket {1} of {0}", "another worker took over")


class Beat:
    """Keeps the leases of one process, in one statement for all of them. Thread-safe.

    Its thread begins with the first lease and ends with the process.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database.within(WAITING)
        self._clock = clock
        self._lock = threading.Lock()
        self._held: set[Lease] = set()
        self._renewals: Renewals | None = None

    def keep(self, lease: Lease) -> None:
        """Renew it from now on."""
        with self._lock:
            self._held.add(lease)
            if self._renewals is None:
                self._renewals = Renewals(self.renew, LEASE_MS, BEAT_S)
                self._renewals.start()

    def leave(self, lease: Lease) -> None:
        """Renew it no more."""
        with self._lock:
            self._held.discard(lease)

    def renew(self) -> None:
        """Once. Who has lost a lease learns it at the run's next step. Raises `Unavailable`."""
        with self._lock:
            held = tuple(self._held)
        if held:
            until = self._clock() + LEASE_MS
            self._database.write(lambda connection: TICKETS.renew(connection, held, until))
