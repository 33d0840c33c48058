"""The source records by what became of each: routed, refused, unrouted, ignored, missing, expired. Pure."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from events.errors import CAUSES, Cause
from events.topics import DEAD_LETTERS, UNROUTED
from monitoring import ledger as ledgers
from monitoring.held import Held, Partition, lanes_of, position
from monitoring.ledger import Ledger

SOURCE = np.dtype([("verdict", "u1"), ("traces", "u1"), ("cause", "u1"), ("table", "u1"), ("second", "<u4")])
OF_NO_EVENT = [CAUSES.index(cause) for cause in ("too_large", "unexpected")]
"""Causes that do not follow from the event: one workflow's lane may have it all the same."""
ROUTABLE, IGNORED, UNDECLARED, REFUSED = range(1, 5)

Mask = NDArray[np.bool_]


class Sources:
    """The second line of the balance, summed over all partitions of the source."""

    def __init__(self, ledger: Ledger, held: Held, shown: int) -> None:
        self.read = self.routed = self.ignored = self.ignored_earlier = self.unrouted = 0
        self.expired = self.expired_decisions = self.without_trace = self.valid_now = 0
        self.refused: Counter[Cause] = Counter()
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self._shown = shown
        self._current = ledger.number_of_table_in_force
        self._tables = len(ledger.tables)
        lanes = {topic for topic, _ in lanes_of(held)}
        self._whole_since = {
            ROUTABLE: held.whole_since(lanes),
            UNDECLARED: held.whole_since([UNROUTED]),
            REFUSED: held.whole_since([DEAD_LETTERS]),
        }
        for partition, slots in sorted(ledger.sources.items()):
            offsets, records = slots.whole(SOURCE)
            if ledger.until is not None:
                early = offsets < ledger.until.get(partition, 0)
                offsets, records = offsets[early], records[early]
            self._add(partition, held.begin(partition), offsets, records)

    def _add(
        self, partition: Partition, begin: int, offsets: NDArray[np.int64], records: NDArray[Any]
    ) -> None:
        verdicts, traces = records["verdict"], records["traces"]
        seen = verdicts > 0
        gone = ~seen & (traces > 0) & (offsets < begin)
        known = seen | gone
        routed = known & ((traces & (ledgers.LANE | ledgers.OUTCOME)) > 0)
        refused = known & ~routed & ((traces & ledgers.REFUSED) > 0)
        unrouted = known & ~routed & ~refused & ((traces & ledgers.UNROUTED) > 0)
        self.read += int(known.sum())
        self.routed += int(routed.sum())
        self.unrouted += int(unrouted.sum())
        numbers, counts = np.unique(records["cause"][refused], return_counts=True)
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            self.refused[CAUSES[number]] += count
        self.expired += max(0, begin - int((known & (offsets < begin)).sum()))
        self.valid_now += int((refused & ((verdicts == ROUTABLE) | (verdicts == IGNORED))).sum())
        self.valid_now += int((unrouted & seen & (verdicts != UNDECLARED)).sum())
        self._add_bare(partition, offsets, records, seen & (traces == 0))
        self._add_unexpected(partition, offsets, records, ~seen & ~gone & (traces > 0), routed)

    def _add_bare(
        self, partition: Partition, offsets: NDArray[np.int64], records: NDArray[Any], bare: Mask
    ) -> None:
        """Those without a trace: what the table in force ignores, and what should have left one."""
        verdicts = records["verdict"]
        self.ignored += int((bare & (verdicts == IGNORED)).sum())
        earlier = bare & (verdicts == ROUTABLE) & self._by_an_earlier_table(records["table"])
        self.ignored_earlier += int(earlier.sum())
        for verdict, since in self._whole_since.items():
            owed = bare & ~earlier & (verdicts == verdict)
            # by whole seconds: a record of the second in which expiry ends may have lost its trace
            missing = owed & (records["second"].astype(np.int64) * 1_000 >= since)
            self.expired_decisions += int((owed & ~missing).sum())
            self.without_trace += int(missing.sum())
            for offset in self._first(offsets, missing):
                self.missing.append(f"{position(partition, offset)}: {_OWED[verdict]}")

    def _by_an_earlier_table(self, tables: NDArray[np.uint8]) -> Mask:
        """Where the records around were decided by another table than the one in force.

        The router goes through a partition in order, one table at a time. After the last record that was
        decided nothing is known: the table in force is taken.
        """
        if self._tables <= int(self._current > 0):
            return np.zeros(len(tables), np.bool_)
        places = np.arange(len(tables))
        before = np.maximum.accumulate(np.where(tables > 0, places, -1))
        after = np.minimum.accumulate(np.where(tables > 0, places, len(tables))[::-1])[::-1]
        last = np.where(before >= 0, tables[np.maximum(before, 0)], self._current)
        following = np.append(tables, self._current)[after]
        earlier: Mask = (last != self._current) | (following != self._current)
        return earlier & (after < len(tables))

    def _add_unexpected(
        self,
        partition: Partition,
        offsets: NDArray[np.int64],
        records: NDArray[Any],
        unseen: Mask,
        routed: Mask,
    ) -> None:
        for offset in self._first(offsets, unseen):
            self.unexpected.append(
                f"{position(partition, offset)}: something came of it, and there is no such record"
            )
        traces, causes = records["traces"], records["cause"]
        refused = routed & ((traces & ledgers.REFUSED) > 0) & ~np.isin(causes, OF_NO_EVENT)
        for offset, cause in zip(self._first(offsets, refused), causes[refused].tolist(), strict=False):
            self.unexpected.append(f"{position(partition, offset)}: refused as {CAUSES[cause]}, yet routed")
        for offset in self._first(offsets, routed & ((traces & ledgers.UNROUTED) > 0)):
            self.unexpected.append(f"{position(partition, offset)}: unrouted, yet routed")

    def _first(self, offsets: NDArray[np.int64], mask: Mask) -> Iterator[int]:
        yield from offsets[mask][: self._shown].tolist()


_OWED = {
    ROUTABLE: "has a route, and no lane record",
    UNDECLARED: "of an undeclared type, and not among the unrouted",
    REFUSED: "not valid, and no dead letter",
}
