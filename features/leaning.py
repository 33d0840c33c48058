"""Degraded reads while SQL is slow or away: a circuit breaker, and which entities a read goes without.

A row online is absent or complete. If most rows are there, one that is not is nearly always that of a new
entity: its values are missing and stale, which its model's contract has an answer for, and the others' events
do not wait. If most are absent, Redis has lost its rows: then every read waits for SQL.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from events.errors import Unavailable
from features.reading import BatchRows, Of, Rows, RowSource, Span, Within
from features.views import BatchView, StreamView

PROBE_S = 1.0
"""How often a database that failed is asked again, beside the reads and not by one of them."""
WINDOW = 64
"""Of how many rows at least it is asked whether most are online: one event alone asks for three."""

T = TypeVar("T")
log = logging.getLogger(__name__)


def _in_a_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="sql-probe", daemon=True).start()


class Outage:
    """A circuit breaker: open from a read that failed until the same read succeeds. One for each reader.

    It is not `core.circuit_breaker`: a thread probes, and no read of an event waits for the try.
    Only the first read waits for its time limit. What failed is asked again by a thread, since a query of
    another table would say nothing of the one that is locked.
    """

    def __init__(
        self,
        run: Callable[[Callable[[], None]], None] = _in_a_thread,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._run = run
        self._sleep = sleep
        self.open = False

    def began(self, reason: Unavailable, query: Callable[[], object]) -> None:
        """A query failed now: it is repeated until it does not."""
        log.warning("%s: entities that are not online are answered as missing meanwhile", reason)
        self.open = True
        self._run(partial(self._probe, query))

    def _probe(self, query: Callable[[], object]) -> None:
        try:
            while self._fails(query):
                self._sleep(PROBE_S)
            log.info("SQL answers again")
        finally:
            # an error that is no outage is met by the next read, which knows whose it is
            self.open = False

    def _fails(self, query: Callable[[], object]) -> bool:
        try:
            query()
        except Unavailable:
            return True
        return False


class Coverage:
    """Whether most of the rows that were asked for lately were online. One for each reader."""

    def __init__(self) -> None:
        self._asked = 0.0
        self._absent = 0.0

    def mostly(self, stored: Sequence[bytes | None]) -> bool:
        """Count one read: at least half of its rows are there, or of those of the last `WINDOW` rows."""
        asked, absent = len(stored), stored.count(None)
        weight = min(max(WINDOW - asked, 0) / self._asked, 1.0) if self._asked else 0.0
        self._asked = self._asked * weight + asked
        self._absent = self._absent * weight + absent
        return 2 * absent <= asked or 2 * self._absent <= self._asked


class Leaning:
    """A `RowSource` for one read, without rows while SQL is away. `gave_up` has the views that it was for.

    `source` has short time limits. `patient` answers what cannot be done without.
    """

    def __init__(self, source: RowSource, outage: Outage, patient: RowSource | None = None) -> None:
        self._source = source
        self._outage = outage
        self._patient = source if patient is None else patient
        self.gave_up: set[str] = set()

    def rows_within(self, view: StreamView, spans: Sequence[Span]) -> Within:
        """As SQL has them. Raises `Unavailable` if it is away: the past is online nowhere."""
        return self._patient.rows_within(view, spans)

    def rows(self, view: StreamView, keys: Sequence[Of]) -> Rows:
        """As SQL has them, or nothing."""
        return self._unless_away(view.name, lambda: self._source.rows(view, keys), Rows({}, {}))

    def batch_rows(self, view: BatchView, keys: Sequence[Of]) -> BatchRows:
        """As SQL has them, or nothing."""
        return self._unless_away(view.name, lambda: self._source.batch_rows(view, keys), BatchRows({}, None))

    def _unless_away(self, view: str, query: Callable[[], T], nothing: T) -> T:
        if not self._outage.open:
            try:
                return query()
            except Unavailable as error:
                self._outage.began(error, query)
        self.gave_up.add(view)
        return nothing


def alone(source: RowSource, view: StreamView | BatchView) -> bool:
    """Whether this read goes without SQL for a view."""
    return isinstance(source, Leaning) and view.name in source.gave_up
