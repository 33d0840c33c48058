"""A Celery broker that loses, doubles, delays and forgets. Like Redis, or like RabbitMQ."""

from collections import Counter
from dataclasses import dataclass

from events.decision import Millis, Position
from events.errors import Unavailable
from events.lane import Batch
from events.priority import Priority
from tests.simulation.world import NEVER, World

VISIBILITY: Millis = 2_000
DELAY: Millis = 400


@dataclass(slots=True, eq=False)
class Message:
    """One task. `due` (epoch ms) is when it may be handed out, `eta` when it may be begun."""

    task_id: str
    queue: str
    priority: Priority
    batch: Batch
    retries: int = 0
    eta: Millis = 0
    due: Millis = 0
    redelivered: bool = False
    begun: bool = False
    holder: str = ""
    hidden_until: Millis = 0


class Celery:
    """The queues, and what workers hold of them."""

    def __init__(self, world: World, *, redis: bool) -> None:
        self.world = world
        self.redis = redis
        self.unacked: list[Message] = []
        self.handed_out_again: Counter[Position] = Counter()
        """How often, by where a record waits in its lane."""
        self.cut_short: Counter[Position] = Counter()
        """How often while somebody had begun to work on it."""
        self._queues: dict[str, dict[Priority, list[Message]]] = {}
        self._tally: dict[str, dict[str, Millis]] = {}

    def send(self, message: Message) -> bool:
        """Put a message on its queue. Answers whether the sender hears that it is there.

        Raises `Unavailable` if it certainly is not.
        """
        if self.world.down("broker") or self.world.chance("broker refuses"):
            raise Unavailable("celery broker", "refused")
        copies = 2 if self.world.chance("message doubled") else 1
        for _ in range(copies):
            copy = Message(
                message.task_id, message.queue, message.priority, message.batch, message.retries, message.eta
            )
            if self.world.chance("message delayed"):
                copy.due = self.world.now + self.world.random.randrange(DELAY)
            self._lane(copy).append(copy)
        self.world.activity += 1
        return not self.world.chance("broker accepts, then fails")

    def waiting(self, queue: str) -> dict[Priority, int]:
        """How many messages wait, by priority. Raises `Unavailable`."""
        if self.world.down("broker"):
            raise Unavailable("celery broker", "down")
        return {priority: len(lane) for priority, lane in self._of(queue).items()}

    def take(self, queue: str, holder: str) -> Message | None:
        """Hand the most urgent message out."""
        if self.world.down("broker"):
            return None
        for lane in self._of(queue).values():
            for index, message in enumerate(lane):
                if message.due <= self.world.now:
                    del lane[index]
                    return self._handed_out(message, holder)
        return None

    def _handed_out(self, message: Message, holder: str) -> Message | None:
        if self.redis and self.world.chance("message lost in the pop"):
            self.world.say("broker", "loses {}", message.task_id)
            return None
        message.holder = holder
        message.hidden_until = self.world.now + VISIBILITY
        self.unacked.append(message)
        self.world.activity += 1
        return message

    def acknowledge(self, message: Message) -> None:
        """The worker is done with it. Where that does not arrive, it comes back."""
        if self.world.down("broker") or self.world.chance("acknowledgement lost"):
            if not self.redis:
                self.give_back(message)
            return
        if message in self.unacked:
            self.unacked.remove(message)

    def give_back(self, message: Message) -> None:
        """Hand it out again, marked as handed out before."""
        if message not in self.unacked:
            return
        self.unacked.remove(message)
        for fed in message.batch.records:
            self.handed_out_again[fed.lane] += 1
            self.cut_short[fed.lane] += message.begun
        message.begun = False
        message.redelivered = True
        self._lane(message).insert(0, message)
        self.world.say("broker", "hands {} out again", message.task_id)

    def lose_worker(self, holder: str) -> None:
        """A worker is gone. RabbitMQ knows at once, Redis once the visibility timeout is over."""
        if not self.redis:
            for message in [each for each in self.unacked if each.holder == holder]:
                self.give_back(message)

    def hand_out_again(self) -> None:
        """It was restarted: no worker holds anything any more."""
        for message in list(self.unacked):
            self.give_back(message)

    def empty(self) -> None:
        """Somebody flushed it."""
        self._queues.clear()
        self.unacked.clear()
        self._tally.clear()

    def hold_back(self, queue: str, task_id: str, until: Millis) -> None:
        """A retry waits."""
        self._tally.setdefault(queue, {})[task_id] = until

    def retry_begins(self, queue: str, task_id: str) -> None:
        """It no longer waits."""
        self._tally.get(queue, {}).pop(task_id, None)

    def retrying(self, queue: str) -> int:
        """How many retries wait."""
        return sum(until > self.world.now for until in self._tally.get(queue, {}).values())

    def ready_at(self, queue: str) -> Millis:
        """When there is something to hand out."""
        return min([message.due for lane in self._of(queue).values() for message in lane], default=NEVER)

    def wakes_at(self) -> Millis:
        """When the visibility timeout of something is over."""
        if not self.redis:
            return NEVER
        return min([message.hidden_until for message in self.unacked], default=NEVER)

    def step(self) -> None:
        """Redis: what was taken long ago and not acknowledged is handed out again."""
        if self.redis and not self.world.down("broker"):
            for message in [each for each in self.unacked if each.hidden_until <= self.world.now]:
                self.give_back(message)

    def records_held_back(self, queue: str) -> int:
        """How many records wait for a retry, however many copies there are of each."""
        waiting = [message for lane in self._of(queue).values() for message in lane]
        return len(
            {
                fed.lane
                for message in (*waiting, *self.unacked)
                if message.queue == queue and message.eta > self.world.now
                for fed in message.batch.records
            }
        )

    @property
    def at_rest(self) -> bool:
        """Nothing waits, and no worker holds anything."""
        return not self.unacked and not any(lane for of in self._queues.values() for lane in of.values())

    def _lane(self, message: Message) -> list[Message]:
        return self._of(message.queue)[message.priority]

    def _of(self, queue: str) -> dict[Priority, list[Message]]:
        lanes = self._queues.get(queue)
        if lanes is None:
            lanes = self._queues[queue] = {priority: [] for priority in Priority}
        return lanes
