"""A worker process. What it decides is the real lifecycle's; Celery's part around that is played here.

A task's run is worked out at once, on a clock of its own and knowing what is down until when. What it does
to the world then happens bit by bit, and between any two bits the process may be gone.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from events.decision import Millis
from events.errors import Unavailable
from events.lane import Batch
from routing import QueueSpec
from tasks.handling import Finished, Handling, Successors, TryAgain, Verdict
from tasks.lifecycle import Lifecycle
from tasks.outcomes import Outcomes
from tasks.patience import OutOfPatience, Patience
from tasks.policy import Limits, Pause, next_refusal, successor_id
from tasks.triage import GiveUp, Proceed, Resubmit, triage
from tests.simulation.broker import VISIBILITY, Celery, Message
from tests.simulation.kafka import Kafka
from tests.simulation.model import Model, OverTimeError, ProcessKilledError, Store
from tests.simulation.world import NEVER, Violation, World
from transport.kafka import Outgoing

RETRY_COUNTS: Millis = 2_000
LONGEST_STEP: Millis = 20
TIME_LIMIT: Millis = 1_000


def spec(queue: str, task: str) -> QueueSpec:
    """A queue whose limits fit the broker's visibility timeout."""
    return QueueSpec(
        name=queue,
        workflow=queue,
        task=task,
        pool="prefork",
        concurrency=1,
        prefetch=1,
        nice=0,
        soft_time_limit_s=TIME_LIMIT // 1_000,
        time_limit_s=TIME_LIMIT // 1_000,
        visibility_timeout_s=VISIBILITY // 1_000,
        window=1,
        max_batch=8,
        served=True,
    )


class Timer:
    """The clock of one run: ahead of the world's."""

    def __init__(self, start: Millis) -> None:
        self.time = start

    def now(self) -> Millis:
        """Epoch milliseconds."""
        return self.time

    def sleep(self, length: Millis) -> None:
        """Let time pass in this run alone."""
        self.time += length


@dataclass(slots=True)
class Effect:
    """One thing that a run does to the world, and when."""

    at: Millis
    act: Callable[[], None]
    what: str
    records: tuple[Outgoing, ...] = ()


class Notes:
    """What workers write down of events under suspicion; in the same Redis as the features."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.begun: set[str] = set()

    def had_begun(self, task_id: str, at: Millis) -> bool:
        """Whether its work began and did not end. Raises `Unavailable`."""
        self._check(at)
        return task_id in self.begun

    def begin(self, task_id: str, at: Millis) -> None:
        """Its work begins. Raises `Unavailable`."""
        self._check(at)
        self.begun.add(task_id)

    def end(self, task_id: str) -> None:
        """It ended in order."""
        if not self._world.down("store"):
            self.begun.discard(task_id)

    def _check(self, at: Millis) -> None:
        if self._world.down("store", at):
            raise Unavailable("redis", "down")


class Worker:
    """One process of a pool, with what its parent holds for it: one message taken, and retries that wait."""

    def __init__(
        self,
        name: str,
        queue: str,
        celery: Celery,
        kafka: Kafka,
        notes: Notes,
        failures: Counter[str],
    ) -> None:
        self.name = name
        self.current: Message | None = None
        self.most_held_back = 2**62
        self._queue = queue
        self._celery = celery
        self._kafka = kafka
        self._world = kafka.world
        self._notes = notes
        self._limits = Limits.of([spec(queue, "simulated")])
        self._timer = Timer(0)
        self._engine = Lifecycle(
            Model(self._world, failures),
            Store(self._world, self._timer.now),
            self._timer.now,
            "simulated",
            lambda: 0.0,
        )
        self._reserved: list[Message] = []
        self._effects: deque[Effect] = deque()
        self._away_until: Millis = 0
        self._refusals = 0

    def wakes_at(self) -> Millis:
        """When its next bit of work is due."""
        if self.current is not None:
            due = self._effects[0].at if self._effects else NEVER
        else:
            due = self._celery.ready_at(self._queue)
            for message in self._reserved:
                due = min(due, message.eta)
        return max(due, self._away_until)

    def step(self) -> None:
        """Take a message, begin one, or do the next bit of the one at hand."""
        if self.current is None:
            self._take()
            return
        effect = self._effects.popleft()
        self._world.say(self.name, effect.what)
        effect.act()

    def be_away(self, length: Millis) -> None:
        """It stands still."""
        self._away_until = self._world.now + length

    def die(self, back_after: Millis) -> None:
        """The worker is gone, with its pool and all that it held."""
        self._break_off()
        self._reserved.clear()
        self._celery.lose_worker(self.name)
        self.be_away(back_after)

    def lose_process(self) -> None:
        """The process is gone, and its parent gives back what it worked on."""
        message = self.current
        self._break_off()
        if message is not None:
            self._celery.give_back(message)

    def _break_off(self) -> None:
        if self._effects and self._effects[0].records:
            records = self._effects[0].records
            for record in records[: self._world.random.randint(0, len(records))]:
                self._kafka.append(record)
        self._effects.clear()
        self.current = None

    def _take(self) -> None:
        ready = [message for message in self._reserved if message.eta <= self._world.now]
        taken = None
        if not ready or (len(ready) < 2 and self._world.random.random() < 0.3):
            taken = self._celery.take(self._queue, self.name)
        if taken is not None:
            self._reserved.append(taken)
        elif ready:
            self._reserved.remove(ready[0])
            self._begin(ready[0])

    def _begin(self, message: Message) -> None:
        self._world.say(self.name, "begins {}, {} records", message.task_id, len(message.batch))
        self.current = message
        message.begun = True
        self._timer.time = self._world.now
        self._refusals = 0
        if message.retries:
            self._celery.retry_begins(self._queue, message.task_id)
        try:
            verdict = self._run(message)
        except ProcessKilledError:
            self._later("the event kills it", self.lose_process)
            return
        if message.batch.losses:
            self._later("notes that it ended", partial(self._notes.end, message.task_id))
        self._carry_out(verdict, message)

    def _run(self, message: Message) -> Verdict:
        batch = message.batch
        patience = Patience(self._limits, lambda: False, self._timer)
        handling = Handling(
            self._engine,
            self._publish,
            patience,
            self._limits,
            self._queue,
            message.retries,
            share=self._world.random.random,
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
        lost = message.redelivered and len(message.batch) > 0
        if lost and message.batch.losses:
            lost = patience.through(lambda: self._notes.had_begun(message.task_id, self._timer.time))
        turn = triage(message.batch, lost)
        if message.batch.losses and isinstance(turn, Proceed):
            patience.through(lambda: self._notes.begin(message.task_id, self._timer.time))
        return turn

    def _publish(self, outcomes: Outcomes) -> None:
        records = tuple(outcomes.records)
        if not records:
            return
        self._timer.time += int(self._world.random.random() * LONGEST_STEP)
        if self._world.down("kafka", self._timer.time):
            raise Unavailable("kafka", "down")
        if self._world.chance("publishing fails half-way"):
            written = records[: self._world.random.randint(0, len(records))]
            self._later("publishes a part", partial(self._write, written), written)
            raise Unavailable("kafka", "no acknowledgement")
        self._later(f"publishes {len(records)} outcomes", partial(self._write, records), records)

    def _write(self, records: tuple[Outgoing, ...]) -> None:
        for record in records:
            self._kafka.append(record)

    def _carry_out(self, verdict: Verdict, message: Message) -> None:
        match verdict:
            case Finished():
                pass
            case Successors(batches):
                for batch in batches:
                    self._later(f"sends {len(batch)} records on", partial(self._send_on, batch, message))
            case TryAgain():
                self._later(f"retries {len(verdict.batch)} records", partial(self._retry, verdict, message))
        self._later("acknowledges", partial(self._acknowledge, message))

    def _send_on(self, batch: Batch, message: Message) -> None:
        successor = Message(
            successor_id(message.task_id, batch), message.queue, message.priority, batch, message.retries
        )
        if not self._sent(successor):
            step = next_refusal(0, self._refusals, self._limits, False)
            if self._refusals < 3 and isinstance(step, Pause):
                self._refusals += 1
                again = partial(self._send_on, batch, message)
                self._effects.appendleft(Effect(self._world.now + step.length, again, "sends on again"))
            else:
                self._give_back(message)

    def _retry(self, verdict: TryAgain, message: Message) -> None:
        eta = self._world.now + verdict.pause
        retry = Message(
            message.task_id, message.queue, message.priority, verdict.batch, message.retries + 1, eta
        )
        self._celery.hold_back(self._queue, message.task_id, eta + RETRY_COUNTS)
        if not self._sent(retry):
            self._celery.retry_begins(self._queue, message.task_id)
            self._give_back(message)
        if self._celery.records_held_back(self._queue) > self.most_held_back:
            held_back = self._celery.records_held_back(self._queue)
            raise Violation(
                f"what is retried is bounded: {held_back} records of {self._queue} wait for a retry"
            )

    def _sent(self, message: Message) -> bool:
        try:
            return self._celery.send(message)
        except Unavailable:
            return False

    def _acknowledge(self, message: Message) -> None:
        self._celery.acknowledge(message)
        self.current = None

    def _give_back(self, message: Message) -> None:
        self._effects.clear()
        self.current = None
        message.begun = False
        if not self._world.down("broker"):
            self._celery.give_back(message)

    def _later(self, what: str, act: Callable[[], None], records: tuple[Outgoing, ...] = ()) -> None:
        self._timer.time += int(self._world.random.random() * LONGEST_STEP)
        self._effects.append(Effect(self._timer.time, act, what, records))
