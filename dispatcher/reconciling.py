"""Which of a lane's records have no outcome, and when one is fed again. Knows no Kafka, no Celery and no clock."""

from collections import deque
from dataclasses import dataclass
from itertools import islice

from dispatcher.bitmap import Bitmap
from events.decision import Millis


@dataclass(frozen=True, slots=True)
class Completeness:
    """Of one partition of a lane: `fed` offsets went to the workers, `open` of them have no outcome yet."""

    watermark: int
    fed: int
    open: int
    overdue: int

    @property
    def ratio(self) -> float:
        """The share of fed records that have an outcome; 1 where nothing was fed."""
        return 1 - self.open / self.fed if self.fed else 1.0


class Reconciling:
    """One partition of a lane: its records against the outcomes.

    A record is overdue `horizon` ms after its feeder had committed it, once it cannot still be on its way. What is overdue is fed
    again within `allowance`: one record at first, twice as many each time that all of the last came out, and one again as
    soon as one did not. An outage or an overload is therefore never fed by its own lateness.
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
        self.fed_again = 0

    @property
    def watermark(self) -> int:
        """Every offset below this one has its outcome. It is what the reconciler commits."""
        return self._done.watermark

    def on_fed(self, position: int, now: Millis) -> None:
        """The feeder has committed `position`: everything below it went to the workers by `now`."""
        if position > self._fed:
            self._fed = position
            self._marks.append((position, now))

    def on_outcome(self, offset: int) -> None:
        """A prediction or a dead letter names this offset."""
        self._done.add(offset)
        if self._again.pop(offset, None) is not None and not self._again:
            self._allowance = min(self._allowance * 2, self._max_allowance)

    def on_gap(self, offset: int) -> None:
        """Kafka holds no record at this offset (expired, or a transaction's marker): nothing is owed for it."""
        self.on_outcome(offset)

    def due(self, now: Millis) -> tuple[int, ...]:
        """The offsets to feed again now, the oldest first. They count as sent from `now` on."""
        while self._marks and self._marks[0][1] + self._horizon <= now:
            self._overdue_below = self._marks.popleft()[0]
        late = [offset for offset, sent in self._again.items() if sent + self._horizon <= now]
        for offset in late:
            del self._again[offset]
        if late:
            self._allowance = 1
        free = self._allowance - len(self._again)
        if free <= 0:
            return ()
        candidates = (offset for offset in self._done.open(self._overdue_below) if offset not in self._again)
        due = tuple(islice(candidates, free))
        self._again.update(dict.fromkeys(due, now))
        self.fed_again += len(due)
        return due

    def on_refused(self, offsets: tuple[int, ...]) -> None:
        """The broker did not take them: they are due again."""
        for offset in offsets:
            self._again.pop(offset, None)
        self.fed_again -= len(offsets)

    def completeness(self) -> Completeness:
        """The figures of this partition, since the reconciler began with it."""
        return Completeness(
            watermark=self.watermark,
            fed=self._fed - self._start,
            open=sum(1 for _ in self._done.open(self._fed)),
            overdue=sum(1 for _ in self._done.open(self._overdue_below)),
        )
