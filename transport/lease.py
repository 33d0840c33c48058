"""Leases with fencing tokens, in SQL: one holder at a time, and one that was frozen writes nothing.

Each taking of a lease has a higher token, and what is written under it names the token (Kleppmann, *Designing
Data-Intensive Applications*, chapter 8). Holders go by their own clocks: if two differ by more than a lease,
one of them loses a lease that it had, and no write is made twice.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, and_, insert, or_, select, update

from events.decision import Millis
from events.errors import SignalboxError

log = logging.getLogger(__name__)


class LeaseLostError(SignalboxError):
    """Another holder has the lease by now: nothing more may be written, or done, under it."""


class Lease(NamedTuple):
    """What is held: the key of its row, and the token under which it was taken."""

    key: tuple[str, ...]
    token: int


class Held(NamedTuple):
    """Another holder has the lease, or may until then (epoch ms)."""

    holder: str
    until: Millis


@dataclass(frozen=True)
class Leases:
    """Leases of one kind. Each method runs inside of a transaction of `Database.write`.

    `table` has the columns of the key first, then `token`, `holder` and `until` (epoch ms; 0: free). A lease
    of `length` ms is called `named`, filled in with its key; `lost` says what follows if it is not renewed.
    """

    table: Table
    length: Millis
    named: str
    lost: str

    def take(self, connection: Connection, key: tuple[str, ...], holder: str, now: Millis) -> Lease | Held:
        """The lease under its next token, if no other holder has it."""
        columns, here, until = self.table.c, self._row(key), now + self.length
        granted = connection.execute(
            update(self.table)
            .where(here, columns.until <= now)
            .values(token=columns.token + 1, holder=holder, until=until)
        )
        row = connection.execute(select(columns.token, columns.holder, columns.until).where(here)).first()
        if row is None:  # if two are first at once, one of them meets the other's key and tries again
            named = dict(zip(columns.keys(), key, strict=False))
            connection.execute(insert(self.table).values(**named, token=1, holder=holder, until=until))
            return Lease(key, 1)
        return Lease(key, int(row.token)) if granted.rowcount else Held(row.holder, row.until)

    def hold(self, connection: Connection, lease: Lease, until: Millis) -> None:
        """Keep a lease until then (epoch ms; 0: free). Raises `LeaseLostError` if another holder took it."""
        kept = connection.execute(update(self.table).where(self._mine(lease)).values(until=until))
        if not kept.rowcount:
            silent = f"not renewed for {self.length // 1_000} s"
            raise LeaseLostError(f"{self.named.format(*lease.key)}: lease lost: {silent}, {self.lost}")

    def renew(self, connection: Connection, leases: Iterable[Lease], until: Millis) -> None:
        """Keep all of these until then, in one statement. One that was lost or let go meanwhile stays so."""
        every = or_(*(self._mine(lease) for lease in sorted(leases)))
        connection.execute(update(self.table).where(every, self.table.c.until > 0).values(until=until))

    def _mine(self, lease: Lease) -> ColumnElement[bool]:
        return and_(self._row(lease.key), self.table.c.token == lease.token)

    def _row(self, key: tuple[str, ...]) -> ColumnElement[bool]:
        columns: Iterable[Any] = list(self.table.c)[: len(key)]
        return and_(*(column == part for column, part in zip(columns, key, strict=True)))


class Renewals:
    """Renews by calling `renew` in a thread, until it is stopped. No error ends it but a `LeaseLostError`.

    An outage may be over before a lease has run out, and a lease that ran out may still be free after it.
    """

    def __init__(
        self,
        renew: Callable[[], None],
        length: Millis,
        every_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._renew = renew
        self._length_s = length / 1_000
        self._every_s = every_s
        self._monotonic = monotonic
        self._renewed_at = monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)

    def start(self) -> None:
        """Begin: what is to be renewed was taken just now."""
        self._renewed_at = self._monotonic()
        self._thread.start()

    def stop(self) -> None:
        """Return once no renewal is under way and none will come."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def once(self) -> bool:
        """Renew now. False if the lease was lost, and it makes no sense to go on."""
        try:
            self._renew()
        except LeaseLostError as error:
            log.warning("%s", error)
            return False
        except Exception as error:  # noqa: BLE001  # the outermost: a thread that ends loses every lease
            self._failed(error)
        else:
            self._renewed_at = self._monotonic()
        return True

    def _failed(self, error: Exception) -> None:
        silent_s = self._monotonic() - self._renewed_at
        if silent_s < self._length_s:
            log.warning("leases not renewed for %d s, trying again: %s", silent_s, error)
        else:
            log.error("leases lost: not renewed for %d s, others may take over: %s", silent_s, error)

    def _run(self) -> None:
        while not self._over.wait(self._every_s):
            if not self.once():
                return
