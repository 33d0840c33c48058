"""The state that the parts of a schedule share: the time, the outages, what has happened."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from random import Random
from typing import Literal, Protocol, get_args

from events.decision import Millis

Fault = Literal[
    "dispatcher killed",
    "dispatcher stalled",  # it goes on long after the group has given its partitions away
    "dispatcher leaves",
    "group rebalanced",
    "worker killed",  # with its pool: what it held comes back after the visibility timeout
    "worker stopped",  # in order: it ends what it works on, and what it had only taken is handed out again
    "pool process killed",  # what it worked on comes back at once
    "worker stalled",  # beyond the visibility timeout: a second worker gets its message
    "reconciler killed",
    "table swapped",
    "broker down",
    "broker emptied",
    "broker refuses",
    "broker accepts, then fails",
    "message doubled",
    "message delayed",
    "message lost in the pop",
    "acknowledgement lost",
    "kafka stalled",
    "commit fails",
    "store down",
    "publishing fails half-way",
    "inference fails",
    "partitions added",
    "records expired",  # retention passed over the oldest records of a partition, read or not
    "lane refused",  # Kafka takes no record of one lane for a while
    "producer fatal",
]
FAULTS: tuple[Fault, ...] = get_args(Fault)

START: Millis = 1_700_000_000_000
NEVER: Millis = 2**62


class Violation(AssertionError):  # noqa: N818 - what it is, and the first word of a report
    """A property does not hold. The message says which, and where."""


class Part(Protocol):
    """What takes turns."""

    def wakes_at(self) -> Millis:
        """When it has something to do, for all that it knows: a time that is over, or to come, or `NEVER`."""

    def step(self) -> None:
        """Do a bit of it."""


class World:
    """One schedule's clock, dice and memory. A seed decides on everything in it."""

    def __init__(self, seed: int, faults: Iterable[Fault], *, traced: bool = False) -> None:
        self.random = Random(seed)
        self.now: Millis = START
        self.chances: dict[Fault, float] = dict.fromkeys(faults, 0.0)
        self.struck: Counter[Fault] = Counter()
        self.steps: list[str] | None = [] if traced else None
        self.activity = 0
        self._down: dict[str, Millis] = {}
        self._timers: list[tuple[Millis, int, Callable[[], None]]] = []
        self._timer_count = 0

    def clock(self) -> Millis:
        """The time that everybody is handed, epoch milliseconds."""
        return self.now

    def monotonic(self) -> float:
        """The same in seconds, for what measures by it."""
        return self.now / 1_000

    def say(self, who: str, what: str, *values: object) -> None:
        """Something happened: the world is not at rest. Written down where the schedule is to be printed."""
        self.activity += 1
        if self.steps is not None:
            self.steps.append(f"{self.now - START:>8} ms  {who:<14} {what.format(*values)}")

    def chance(self, fault: Fault) -> bool:
        """Whether this fault strikes here and now."""
        share = self.chances.get(fault)
        if not share or self.random.random() >= share:
            return False
        self.struck[fault] += 1
        return True

    def take_down(self, service: str, length: Millis) -> None:
        """`service` is unreachable for `length` ms from now."""
        self._down[service] = self.now + length

    def down(self, service: str, at: Millis | None = None) -> bool:
        """Whether a service is unreachable now, or at another time."""
        return (self.now if at is None else at) < self._down.get(service, 0)

    def after(self, length: Millis, act: Callable[[], None]) -> None:
        """Let something happen `length` ms from now."""
        self._timer_count += 1
        heapq.heappush(self._timers, (self.now + length, self._timer_count, act))

    def advance(self, length: Millis) -> None:
        """Let time pass, and what was to happen in it."""
        self.now += length
        while self._timers and self._timers[0][0] <= self.now:
            heapq.heappop(self._timers)[2]()

    @property
    def next_timer(self) -> Millis:
        """When something happens by itself."""
        return self._timers[0][0] if self._timers else NEVER

    def calm(self) -> None:
        """No fault strikes from now on, and everything is up."""
        self.chances.clear()
        self._down.clear()
        self.say("world", "the last fault is over")
