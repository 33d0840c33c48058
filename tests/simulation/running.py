"""The effects of a task on the world, by the real lifecycle on a clock of its own.

It knows what is down until when. So a run is decided on at once; what it does then happens bit by bit, and
between any two bits the process may be gone.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from events.decision import Millis
from events.errors import Unavailable
from events.lane import Batch
from routing import QueueSpec
from tasks.handling import Finished, Handling, Successors, TryAgain, Verdict
from tasks.lifecycle import Lifecycle
from tasks.outcomes import Outcomes
from tasks.patience import OutOfPatience, Patience
from tasks.policy import Limits
from tasks.triage import GiveUp, Proceed, Resubmit, triage
from tests.simulation.broker import VISIBILITY, Message
from tests.simulation.model import Model, OverTimeError, ProcessKilledError, Store
from tests.simulation.notes import Notes
from tests.simulation.world import World
from transport.kafka import Outgoing
from transport.publisher import Unwritten

LONGEST_STEP: Millis = 20
TIME_LIMIT_S = 1


@dataclass(frozen=True, slots=True)
class Publish:
    """Write these to Kafka."""

    records: tuple[Outgoing, ...]


@dataclass(frozen=True, slots=True)
class Die:
    """The event at hand kills the process."""


@dataclass(frozen=True, slots=True)
class EndNote:
    """Note that the work on an event under suspicion ended in order."""


@dataclass(frozen=True, slots=True)
class SendOn:
    """Send a batch as a message of its own in this one's stead."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class HoldBack:
    """Retry what failed, after a pause."""

    batch: Batch
    pause: Millis


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Be done with the message."""


Deed = Publish | Die | EndNote | SendOn | HoldBack | Acknowledge


class Timer:
    """The clock of one run: ahead of the world's."""

    def __init__(self) -> None:
        self.time: Millis = 0

    def now(self) -> Millis:
        """Epoch milliseconds."""
        return self.time

    def sleep(self, length: Millis) -> None:
        """Let time pass in this run alone."""
        self.time += length


class Runner:
    """What a worker's process has loaded. It works on one message at a time."""

    def __init__(self, queue: str, world: World, notes: Notes, failures: Counter[str]) -> None:
        self.limits = Limits.of([_spec(queue)])
        self._queue = queue
        self._world = world
        self._notes = notes
        self._timer = Timer()
        now = self._timer.now
        self._engine = Lifecycle(Model(world, failures), Store(world, now), now, "simulated", lambda: 0.0)
        self._deeds: list[tuple[Millis, Deed]] = []

    def run(self, message: Message) -> list[tuple[Millis, Deed]]:
        """What is done for this message, each with its time."""
        self._timer.time = self._world.now
        self._deeds = []
        try:
            verdict = self._decide(message)
        except ProcessKilledError:
            self._then(Die())
            return self._deeds
        if message.batch.losses:
            self._then(EndNote())
        match verdict:
            case Finished():
                pass
            case Successors(batches):
                for batch in batches:
                    self._then(SendOn(batch))
            case TryAgain():
                self._then(HoldBack(verdict.batch, verdict.pause))
        self._then(Acknowledge())
        return self._deeds

    def _decide(self, message: Message) -> Verdict:
        """As `tasks.inference` does it."""
        batch, dice = message.batch, self._world.random.random
        patience = Patience(self.limits, lambda: False, self._timer)
        handling = Handling(
            self._engine, self._publish, patience, self.limits, self._queue, message.retries, share=dice
        )
        try:
            return handling.follow(self._triage(message, patience), batch)
        except OutOfPatience:
            return Successors((batch,))
        except OverTimeError as error:
            return Successors((batch,)) if patience.waiting else handling.cut_short(batch, "timeout", error)
        except ZeroDivisionError as error:
            return handling.cut_short(batch, "rejected", error)

    def _triage(self, message: Message, patience: Patience) -> Proceed | Resubmit | GiveUp:
        task_id, losses = message.task_id, message.batch.losses
        lost = message.redelivered
        if lost and losses:
            lost = patience.through(lambda: self._notes.had_begun(task_id, self._timer.time))
        turn = triage(message.batch, lost)
        if losses and isinstance(turn, Proceed):
            patience.through(lambda: self._notes.begin(task_id, self._timer.time))
        return turn

    def _publish(self, outcomes: Outcomes) -> None:
        outcomes.write(self._put)

    def _put(self, written: Sequence[Outgoing]) -> None:
        if self._world.down("kafka", self._timer.time):
            raise Unavailable("kafka", "down")
        records = tuple(written)
        if self._world.chance("publishing fails half-way"):
            held = self._world.random.randint(0, len(records))
            self._then(Publish(records[:held]))
            # the worker learns of what Kafka holds, or of nothing
            known = held if self._world.random.random() < 0.5 else 0
            raise Unwritten("kafka", "no acknowledgement", range(known, len(records)), {})
        self._then(Publish(records))

    def _then(self, deed: Deed) -> None:
        self._timer.time += int(self._world.random.random() * LONGEST_STEP)
        self._deeds.append((self._timer.time, deed))


def _spec(queue: str) -> QueueSpec:
    """A queue whose limits fit the broker's visibility timeout."""
    return QueueSpec(
        name=queue,
        workflow=queue,
        task="simulated",
        pool="prefork",
        concurrency=1,
        prefetch=1,
        nice=0,
        soft_time_limit_s=TIME_LIMIT_S,
        time_limit_s=TIME_LIMIT_S,
        visibility_timeout_s=VISIBILITY // 1_000,
        window=1,
        max_batch=8,
        served=True,
    )
