"""Flow control between a queue and its lanes: when the next batch is sent, from which lane, how large.

Pure: knows no Kafka, no Celery, no clock.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Generic, Protocol, TypeVar

from core.circuit_breaker import CircuitBreaker
from dispatcher.tracking import Partition
from events.decision import Millis, Position
from events.priority import Priority


class Held(Protocol):
    """A lane's record that was read and not sent yet."""

    @property
    def position(self) -> Position: ...

    @property
    def size(self) -> int:
        """Bytes that it adds to a message."""


R = TypeVar("R", bound=Held)


@dataclass(frozen=True, slots=True)
class Lane:
    """How one lane is fed: at most `max_batch` records and `max_bytes` bytes in one message."""

    topic: str
    priority: Priority
    max_batch: int
    max_bytes: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Depth:
    """What stands on a queue: messages that wait, by priority, and those held back for a retry."""

    waiting: Mapping[Priority, int]
    retrying: int = 0


@dataclass(frozen=True, slots=True)
class Send(Generic[R]):
    """Give these records to the Celery broker as one message."""

    lane: Lane
    records: tuple[R, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to send before `until` (epoch ms), unless records arrive or the depth changes."""

    until: Millis


class Feeding(Generic[R]):
    """One queue between its lanes and its workers.

    A lane may send while fewer than `window` messages of its own or a higher priority wait on the queue: a
    lone event is sent at once, a flood grows into large batches, and a lower lane never stands in a higher
    one's way. Messages held back for a retry are outstanding too: from `retry_limit` of them on, nothing new
    is sent. Times are milliseconds.
    """

    def __init__(
        self,
        lanes: Sequence[Lane],
        window: int,
        *,
        retry_limit: int = 16,
        look_again: Millis = 1,
        backoff: Millis = 50,
        max_backoff: Millis = 5_000,
    ) -> None:
        self._lanes: list[Lane] = []
        self._held: dict[str, deque[R]] = {}
        self._bytes: dict[str, int] = {}
        self.on_lanes(lanes)
        self._window = window
        self._retry_limit = retry_limit
        self._look_again = look_again
        self._breaker = CircuitBreaker(backoff, max_backoff)

    @property
    def lanes(self) -> Sequence[Lane]:
        """The lanes, the most urgent first."""
        return self._lanes

    @property
    def holds(self) -> int:
        """How many records were read and not sent yet."""
        return sum(len(held) for held in self._held.values())

    def room(self, lane: Lane) -> int:
        """How many more records this lane may read: what its next message still takes."""
        if self._bytes[lane.topic] >= lane.max_bytes:
            return 0
        return max(0, lane.max_batch - len(self._held[lane.topic]))

    def on_lanes(self, lanes: Iterable[Lane]) -> None:
        """These lanes are fed now, in this manner. One that is not among them is drained as it was fed."""
        by_topic = {lane.topic: lane for lane in chain(self._lanes, lanes)}
        self._lanes = sorted(by_topic.values(), key=lambda lane: lane.priority.rank)
        for topic in by_topic:
            self._held.setdefault(topic, deque())
            self._bytes.setdefault(topic, 0)

    def on_records(self, lane: Lane, records: Sequence[R]) -> None:
        """Records were read from a lane, in their order."""
        self._held[lane.topic].extend(records)
        self._bytes[lane.topic] += sum(record.size for record in records)

    def on_lost(self, partitions: Collection[Partition]) -> None:
        """These partitions are another's now: what is held of them was not sent; the other will read it."""
        for topic, held in self._held.items():
            kept = deque(r for r in held if (r.position.topic, r.position.partition) not in partitions)
            self._held[topic] = kept
            self._bytes[topic] = sum(record.size for record in kept)

    def on_broken(self, topic: str) -> None:
        """A lane's records are read again: nothing of it is held."""
        self._held[topic].clear()
        self._bytes[topic] = 0

    def blocked_until(self, now: Millis) -> Millis | None:
        """Until when (epoch ms) the broker is left alone after it refused, or None."""
        return self._breaker.open_until(now)

    def next(self, depth: Depth, now: Millis) -> Send[R] | Wait:
        """What to do, seen this depth. A `Send` is answered by `on_accepted` or `on_refused`."""
        blocked = self._breaker.open_until(now)
        if blocked is not None:
            return Wait(blocked)
        if depth.retrying < self._retry_limit:
            ahead = 0
            for lane in self._lanes:
                ahead += depth.waiting.get(lane.priority, 0)
                if self._held[lane.topic] and ahead < self._window:
                    return Send(lane, self._cut(lane))
        return Wait(now + self._look_again)

    def _cut(self, lane: Lane) -> tuple[R, ...]:
        records: list[R] = []
        size = 0
        for record in self._held[lane.topic]:
            size += record.size
            if len(records) == lane.max_batch or (records and size > lane.max_bytes):
                break
            records.append(record)
        return tuple(records)

    def on_accepted(self, sent: Send[R]) -> tuple[R, ...]:
        """The broker took the message: its records are the workers' now.

        Answers with those whose offsets may be committed: all but what was lost since the `Send`.
        """
        held = self._held[sent.lane.topic]
        ours: list[R] = []
        for record in sent.records:
            if held and held[0] is record:
                ours.append(held.popleft())
                self._bytes[sent.lane.topic] -= record.size
        self._breaker.on_success()
        return tuple(ours)

    def on_refused(self, now: Millis) -> Wait:
        """The broker took nothing, or did not answer: the records stay, and it is left alone for a while."""
        return Wait(self._breaker.on_failure(now))
