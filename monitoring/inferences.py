"""The lane records by what came of each: a prediction, a dead letter, nothing yet, or nothing ever. Pure."""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from events.decision import dead_letter_topic, overflow_topic
from events.errors import CAUSES, Cause
from events.topics import PREDICTIONS
from monitoring import ledger as ledgers
from monitoring.held import Held, Partition, lanes_of, position
from monitoring.ledger import FURTHEST, Ledger
from routing import Catalogue

LANE = np.dtype(
    [("high", "<u8"), ("low", "<u8"), ("source", "<u8"), ("second", "<u4"), ("flags", "u1"), ("cause", "u1")]
)
SHARES = 16
"""The ids are compared in so many turns: all at once took four times the memory that the ledger has."""
_OUTCOME = ledgers.PREDICTED | ledgers.DEAD

Mask = NDArray[np.bool_]


class Inferences:
    """The first line of the balance: lane records by prediction id, each id once."""

    def __init__(self, ledger: Ledger, catalogue: Catalogue, held: Held, shown: int) -> None:
        self.routed = self.predictions = self.repeated = 0
        self.without_outcome = self.expired = self.expired_records = self.lost = 0
        self.dead_letters: Counter[Cause] = Counter()
        self.waiting: Counter[str] = Counter()
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self._ledger, self._catalogue, self._held, self._shown = ledger, catalogue, held, shown
        self._partitions = sorted(ledger.lanes.keys() | lanes_of(held))
        for partition in self._partitions:
            self._check(partition)
        for share in range(SHARES if ledger.lanes else 0):
            self._by_id(*self._share(share))

    def _check(self, partition: Partition) -> None:
        """What is wrong with single records, and what expired."""
        begin = self._held.begin(partition)
        slots = self._ledger.lanes.get(partition)
        if slots is None:
            self._add_expired(partition, begin)
            return
        offsets, records = slots.whole(LANE)
        flags = records["flags"]
        self._add_expired(partition, begin - int(((flags > 0) & (offsets < begin)).sum()))
        early = self._early(records)
        stray = early & ((flags & _OUTCOME) > 0) & ((flags & ledgers.RECORD) == 0) & (offsets >= begin)
        for offset, name in self._first(offsets, records, stray):
            self.unexpected.append(f"{name}: an outcome of {position(partition, offset)}, where no record is")
        for offset, name in self._first(offsets, records, early & ((flags & ledgers.MISMATCH) > 0)):
            at = position(partition, offset)
            self.unexpected.append(f"{name}: {at} has an outcome under another id")

    def _share(self, share: int) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
        """A share of the ids out of all lanes: records that count, numbers of their partitions, offsets."""
        parts, numbers, places = [], [], []
        for number, partition in enumerate(self._partitions):
            if (slots := self._ledger.lanes.get(partition)) is None:
                continue
            offsets, records = slots.whole(LANE)
            flags, begin = records["flags"], self._held.begin(partition)
            expired = ((flags & _OUTCOME) > 0) & (offsets < begin)
            counts = (records["high"] % np.uint64(SHARES) == share) & self._early(records)
            counts &= ((flags & ledgers.RECORD) > 0) | expired
            parts.append(records[counts])
            places.append(offsets[counts])
            numbers.append(np.full(len(places[-1]), number))
        return np.concatenate(parts), np.concatenate(numbers), np.concatenate(places)

    def _add_expired(self, partition: Partition, number: int) -> None:
        """Lane records that are gone without an outcome that is known."""
        if self._held.whole_since(_outcome_topics(partition[0])):
            self.expired_records += max(0, number)
        else:
            self.lost += max(0, number)

    def _early(self, records: NDArray[Any]) -> Mask:
        """Those whose source record is counted; of a slot that nothing was written to it does not matter."""
        until = self._ledger.until
        if until is None:
            return np.ones(len(records), np.bool_)
        ends = np.array([until.get(partition, 0) for partition in self._ledger.partitions] or [0])
        numbers, offsets = np.divmod(records["source"], np.uint64(FURTHEST))
        early: Mask = offsets.astype(np.int64) < ends[numbers.astype(np.int64)]
        return early

    def _by_id(self, records: NDArray[Any], lanes: NDArray[np.int64], offsets: NDArray[np.int64]) -> None:
        order = np.lexsort((records["low"], records["high"]))
        records = records[order]
        differs = (records["high"][1:] != records["high"][:-1]) | (records["low"][1:] != records["low"][:-1])
        begins = np.flatnonzero(np.append(True, differs)) if len(records) else np.zeros(0, np.int64)
        if not len(begins):
            return
        flags = np.bitwise_or.reduceat(records["flags"], begins)
        predicted, dead = (flags & ledgers.PREDICTED) > 0, (flags & ledgers.DEAD) > 0
        answered = int(((records["flags"] & _OUTCOME) > 0).sum())
        self.routed += len(begins)
        self.predictions += int(predicted.sum())
        self.repeated += answered - int((predicted | dead).sum())
        # the cause is zero in all but those with a dead letter
        causes = np.maximum.reduceat(records["cause"], begins)[dead & ~predicted]
        for cause, count in enumerate(np.bincount(causes).tolist()):
            if count:
                self.dead_letters[CAUSES[cause]] += count
        opened = begins[~predicted & ~dead]
        self._add_open(records[opened], lanes[order][opened], offsets[order][opened])

    def _add_open(self, records: NDArray[Any], lanes: NDArray[np.int64], offsets: NDArray[np.int64]) -> None:
        for number in np.unique(lanes).tolist():
            here = lanes == number
            partition = self._partitions[number]
            queue = _queue(partition[0])
            spec = self._catalogue.queues.get(queue)
            if spec is not None and not spec.served:
                self.waiting[queue] += int(here.sum())
                continue
            since = self._held.whole_since(_outcome_topics(partition[0]))
            missing = here & (records["second"].astype(np.int64) * 1_000 >= since)
            self.expired += int((here & ~missing).sum())
            self.without_outcome += int(missing.sum())
            workflow = spec.workflow if spec is not None else queue
            sources = records["source"][missing].tolist()
            for (offset, name), source in zip(self._first(offsets, records, missing), sources, strict=False):
                of = position(self._ledger.partitions[source // FURTHEST], source % FURTHEST)
                at = position(partition, offset)
                self.missing.append(f"{name}: {workflow} of {of} has no outcome, in {at}")

    def _first(
        self, offsets: NDArray[np.int64], records: NDArray[Any], mask: Mask
    ) -> Iterator[tuple[int, str]]:
        some = np.flatnonzero(mask)[: self._shown]
        for offset, high, low in zip(
            offsets[some].tolist(), records["high"][some], records["low"][some], strict=True
        ):
            yield offset, f"pred_{UUID(bytes=high.tobytes() + low.tobytes())}"


def _queue(lane: str) -> str:
    return lane.removesuffix(overflow_topic("")).rpartition(".")[0]


def _outcome_topics(lane: str) -> tuple[str, str]:
    return PREDICTIONS, dead_letter_topic(_queue(lane))
