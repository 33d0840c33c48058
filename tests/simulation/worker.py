"""A worker process: takes messages, does what their runs decided, dies in between. Celery is played."""

from collections import deque

from events.decision import Millis
from events.errors import Unavailable
from tasks.policy import Pause, next_refusal, successor_id
from tests.simulation.broker import Celery, Message
from tests.simulation.kafka import Kafka
from tests.simulation.notes import Notes
from tests.simulation.running import Acknowledge, Deed, Die, EndNote, HoldBack, Publish, Runner, SendOn
from tests.simulation.world import Violation

RETRY_COUNTS: Millis = 2_000


class Worker:
    """One process of a pool, with what its parent holds for it: one message taken, and retries that wait."""

    def __init__(
        self, name: str, queue: str, celery: Celery, kafka: Kafka, notes: Notes, runner: Runner
    ) -> None:
        self.name = name
        self.most_held_back = 2**62
        self._queue = queue
        self._celery = celery
        self._kafka = kafka
        self._world = kafka.world
        self._notes = notes
        self._runner = runner
        self._current: Message | None = None
        self._reserved: list[Message] = []
        self._deeds: deque[tuple[Millis, Deed]] = deque()
        self._away_until: Millis = 0
        self._stopping: Millis | None = None
        self._refusals = 0

    def wakes_at(self) -> Millis:
        """When its next bit of work is due."""
        if self._current is not None:
            due = self._deeds[0][0]
        else:
            due = self._celery.ready_at(self._queue) if self._stopping is None else 0
            for message in self._reserved:
                due = min(due, message.eta)
        return max(due, self._away_until)

    def step(self) -> None:
        """Take a message, begin one, or do the next bit of the one at hand."""
        if self._current is not None:
            self._do(self._deeds.popleft()[1], self._current)
        elif self._stopping is not None:
            self._leave(self._stopping)
        else:
            self._take()

    def be_away(self, length: Millis) -> None:
        """It stands still."""
        self._away_until = self._world.now + length

    def stop(self, back_after: Millis) -> None:
        """It is asked to stop: it ends what it works on, and gives back the rest."""
        self._stopping = back_after

    def die(self, back_after: Millis) -> None:
        """The worker is gone, with its pool and all that it held."""
        self._break_off()
        self._reserved.clear()
        self._celery.lose_worker(self.name)
        self.be_away(back_after)

    def lose_process(self) -> None:
        """The process is gone, and its parent gives back what it worked on."""
        message = self._current
        self._break_off()
        if message is not None:
            self._celery.give_back(message)

    def _leave(self, back_after: Millis) -> None:
        for message in self._reserved:
            self._celery.give_back(message)
        self._reserved.clear()
        self._stopping = None
        self.be_away(back_after)

    def _break_off(self) -> None:
        if self._deeds and isinstance(self._deeds[0][1], Publish):
            records = self._deeds[0][1].records
            for record in records[: self._world.random.randint(0, len(records))]:
                self._kafka.append(record)
        self._deeds.clear()
        self._current = None

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
        self._current = message
        message.begun = True
        self._refusals = 0
        if message.retries:
            self._celery.retry_begins(self._queue, message.task_id)
        self._deeds = deque(self._runner.run(message))

    def _do(self, deed: Deed, message: Message) -> None:
        match deed:
            case Publish(records):
                self._world.say(self.name, "publishes {} outcomes", len(records))
                for record in records:
                    self._kafka.append(record)
            case Die():
                self._world.say(self.name, "is killed by an event")
                self.lose_process()
            case EndNote():
                self._notes.end(message.task_id)
                self._world.activity += 1
            case SendOn():
                self._send_on(deed, message)
            case HoldBack():
                self._hold_back(deed, message)
            case Acknowledge():
                self._world.say(self.name, "acknowledges {}", message.task_id)
                self._celery.acknowledge(message)
                self._current = None

    def _send_on(self, deed: SendOn, message: Message) -> None:
        task_id = successor_id(message.task_id, deed.batch)
        if self._sent(Message(task_id, self._queue, message.priority, deed.batch, message.retries)):
            self._world.say(self.name, "sends {} on", task_id)
            return
        step = next_refusal(0, self._refusals, self._runner.limits, False)
        if self._refusals < 3 and isinstance(step, Pause):
            self._refusals += 1
            self._deeds.appendleft((self._world.now + step.length, deed))
        else:
            self._give_back(message)

    def _hold_back(self, deed: HoldBack, message: Message) -> None:
        eta = self._world.now + deed.pause
        retry = Message(message.task_id, self._queue, message.priority, deed.batch, message.retries + 1, eta)
        self._celery.hold_back(self._queue, message.task_id, eta + RETRY_COUNTS)
        if not self._sent(retry):
            self._celery.retry_begins(self._queue, message.task_id)
            self._give_back(message)
        self._world.say(self.name, "retries {} records in {} ms", len(deed.batch), deed.pause)
        held_back = self._celery.records_held_back(self._queue)
        if held_back > self.most_held_back:
            raise Violation(f"what is retried is bounded: {held_back} records of {self._queue}")

    def _sent(self, message: Message) -> bool:
        try:
            return self._celery.send(message)
        except Unavailable:
            return False

    def _give_back(self, message: Message) -> None:
        self._world.say(self.name, "gives {} back", message.task_id)
        self._deeds.clear()
        self._current = None
        message.begun = False
        if not self._world.down("broker"):
            self._celery.give_back(message)
