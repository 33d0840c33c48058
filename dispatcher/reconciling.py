"""Completeness of a lane: which records have no outcome, and when one is fed again. Pure."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from dispatcher.bitmap import Bitmap
from events.decision import Millis

FURTHEST = 2**28
"""No outcome is this far above the watermark (32 MB of bits): the offset is of another life of the topic."""


@dataclass(frozen=True, slots=True)
class Completeness:
    """Of one partition of a lane: `fed` offsets went to the workers, `open` of them have no outcome yet.

    `lost` of them have none and never will: Kafka deleted their records, or those of others that were to be
    fed.
    """

    watermark: int
    fed: int
    open: int
    overdue: int
    lost: int = 0

    @property
    def ratio(self) -> float:
        """The share of fed records that have an outcome; 1 if nothing was fed."""
        return 1 - (self.open + self.lost) / self.fed if self.fed else 1.0


class Reconciling:
    """One partition of a lane: its records against the outcomes.

    A record is overdue `horizon` ms after its feeder had committed it, once it cannot still be on its way.
    What is overdue is fed again within an allowance: one record at first, one more for each that came out;
    one again as soon as one did not within the horizon, or once nothing is overdue. So neither outage nor
    overload is fed by its own lateness. A record that never gets an outcome holds up no other: each has its
    turn.
    """

    def __init__(self, watermark: int, horizon: Millis, max_allowance: int = 1_024) -> None:
        self._done = Bitmap(watermark)
        self._start = watermark
        self._horizon = horizon
        self._max_allowance = max_allowance
        self._allowance = 1
        self._fed = watermark
        self._marks: deque[tuple[int, Millis]] = deque()
        self._overdue_below = watermark
        self._again: dict[int, Millis] = {}
        self._next = watermark
        self.fed_again = 0
        self.lost = 0
        self._expired_below = watermark

    @property
    def watermark(self) -> int:
        """Every offset below this one has its outcome. It is what the reconciler commits."""
        return self._done.watermark

    @property
    def fed(self) -> int:
        """Everything below this offset went to the workers."""
        return self._fed

    def on_fed(self, position: int, now: Millis) -> None:
        """The feeder has committed `position`: everything below it went to the workers by `now`."""
        if position > self._fed:
            self._fed = position
            self._marks.append((position, now))

    def on_outcome(self, offset: int) -> None:
        """A prediction or a dead letter names this offset."""
        if offset - self.watermark >= FURTHEST:
            return
        self._done.add(offset)
        if self._again.pop(offset, None) is not None:
            self._allowance = min(self._allowance + 1, self._max_allowance)

    def on_gap(self, offset: int) -> None:
        """Kafka holds no record at this offset (say, a transaction's marker): nothing is owed for it."""
        self._done.add(offset)
        self._again.pop(offset, None)

    def on_lost(self, offset: int) -> None:
        """Kafka deleted the record at this offset, which has no outcome."""
        if self._done.add(offset):
            self.lost += 1
        self._again.pop(offset, None)

    def on_expired(self, below: int) -> int:
        """Kafka deleted the records below this offset. Returns how many are lost: they had no outcome.

        Those that were never fed are, and those that are overdue; what was fed lately may still come out.
        Call it when all outcomes were read that there are.
        """
        self._expired_below = max(self._expired_below, below)
        overdue = self._done.open(min(below, self._overdue_below))
        lost = (*overdue, *self._done.open(below, self._fed))
        for offset in lost:
            self.on_lost(offset)
        return len(lost)

    def due(self, now: Millis) -> tuple[int, ...]:
        """The offsets to feed again now, ascending. They count as sent from `now` on.

        `now` is a time (epoch ms) up to which every outcome has been read. So a reconciler that is behind in
        its reading stands still here; by the clock it would feed again what has an outcome already.
        """
        while self._marks and self._marks[0][1] + self._horizon <= now:
            self._overdue_below = self._marks.popleft()[0]
        self._give_up_waiting(now)
        free = self._allowance - len(self._again)
        if free <= 0:
            return ()
        due = tuple(islice(self._candidates(), free))
        if due:
            self._next = due[-1] + 1
            self._again.update(dict.fromkeys(due, now))
            self.fed_again += len(due)
        elif not self._again:
            self._allowance = 1
        return tuple(sorted(due))

    def on_refused(self, offsets: tuple[int, ...]) -> None:
        """They could not be sent: they are due again, after the others had their turn."""
        for offset in offsets:
            self._again.pop(offset, None)
        self.fed_again -= len(offsets)

    def completeness(self) -> Completeness:
        """The figures of this partition, since the reconciler began with it."""
        return Completeness(
            watermark=self.watermark,
            fed=max(self._fed, self.watermark, self._expired_below) - self._start,
            open=self._done.count_open(self._fed),
            overdue=self._done.count_open(self._overdue_below),
            lost=self.lost,
        )

    def _give_up_waiting(self, now: Millis) -> None:
        late = [offset for offset, sent in self._again.items() if sent + self._horizon <= now]
        for offset in late:
            del self._again[offset]
        if late:
            self._allowance = 1

    def _candidates(self) -> Iterator[int]:
        """What is overdue and not fed again yet: from where the last turn ended, then from the oldest."""
        rest = self._done.open(self._overdue_below, self._next)
        oldest = self._done.open(min(self._next, self._overdue_below))
        return (offset for offset in chain(rest, oldest) if offset not in self._again)
