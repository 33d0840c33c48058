"""What every task that has events in its hands can do: wait in place, publish, give its message back."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NoReturn

from celery import Task
from celery.exceptions import Reject

from events.decision import dead_letter_topic
from tasks.delivery import Delivery
from tasks.equipment import Equipment
from tasks.letters import Failure, malformed, shortened
from tasks.outcomes import Outcomes
from tasks.patience import OutOfPatience, Patience, SystemTimer, Timer
from tasks.policy import Limits
from tasks.stopping import STOPPING
from transport.clock import Clock, system_clock
from transport.kafka import Outgoing
from transport.metrics import DEAD_LETTERS
from transport.publisher import Unwritten


class EventTask(Task[..., str]):
    """A task of a worker that was equipped for it, in the process that runs it."""

    typing = False  # whatever arguments a message has, it is the task that says what is wrong with them
    served = True  # by this worker: one of other queues has no model for it
    equipment: Equipment | None = None
    limits: Limits | None = None
    clock: Clock = staticmethod(system_clock)
    timer: Timer = SystemTimer()
    stopping: Callable[[], bool] = staticmethod(STOPPING)

    def equip(self, equipment: Equipment, limits: Limits) -> None:
        """Called in the process that will run it, before it takes work."""
        self.equipment = equipment
        self.limits = limits

    @property
    def equipped(self) -> tuple[Equipment, Limits]:
        """What it works with. Raises `RuntimeError` in a worker that does not serve its queue."""
        if self.equipment is None or self.limits is None:
            raise RuntimeError(f"{self.name} came to a worker that does not serve its queue")
        return self.equipment, self.limits

    def patience(self) -> Patience:
        """The waiting of one task, which begins now."""
        return Patience(self.equipped[1], self.stopping, self.timer)

    def publish(self, records: Sequence[Outgoing]) -> None:
        """Return once Kafka holds every record. Raises `transport.publisher.Unwritten`."""
        self.equipped[0].producers.publish(records)

    def dead_letter(self, value: bytes, headers: str, error: Exception) -> str:
        """Dead-letter the message that runs now as it came: it is none of ours."""
        delivery, now = self.delivery(), self.clock()
        failure = Failure("undecodable", error, delivery.retries + 1, now, now)
        letter = malformed(delivery.queue, value, headers, failure)
        self._through_or_give_back(partial(self._publish_letter, letter))
        DEAD_LETTERS.labels(dead_letter_topic(delivery.queue), failure.cause).inc()
        return f"1 dead letter: {error}"

    def dead_letters(self, outcomes: Outcomes) -> str:
        """Publish the dead letters of events that no task here can work on."""
        self._through_or_give_back(partial(outcomes.write, self.publish))
        for cause, number in outcomes.given_up.items():
            DEAD_LETTERS.labels(dead_letter_topic(outcomes.attempt.queue), cause).inc(number)
        return f"{outcomes.given_up.total()} dead letters"

    def _publish_letter(self, letter: Outgoing) -> None:
        try:
            self.publish((letter,))
        except Unwritten as error:
            shorter = shortened(letter) if error.refused else None
            if shorter is None:
                raise
            self._publish_letter(shorter)

    def _through_or_give_back(self, call: Callable[[], None]) -> None:
        try:
            self.patience().through(call)
        except OutOfPatience as impatient:
            self.give_back(impatient)

    def delivery(self) -> Delivery:
        """How the message came that runs now."""
        return Delivery.of(self.request)

    def give_back(self, reason: object) -> NoReturn:
        """Let the broker hand the message out again."""
        raise Reject(str(reason), requeue=True)
