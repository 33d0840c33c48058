"""The broker as a dispatcher or the reconciler sees it."""

from collections.abc import Callable

from dispatcher.depth import Attribution
from dispatcher.feeding import Depth
from events.errors import Unavailable
from events.lane import Batch
from events.priority import Priority
from tests.simulation.broker import Celery, Message


class Port:
    """In the place of `CeleryBroker`; `on_sent` hears of what the broker really has."""

    look_again_ms = 1

    def __init__(self, celery: Celery, on_sent: Callable[[Batch], None]) -> None:
        self._celery = celery
        self._on_sent = on_sent
        self._attribution: dict[str, Attribution] = {}

    def depth(self, queue: str) -> Depth:
        """What stands on a queue; RabbitMQ does not tell by priority. Raises `Unavailable`."""
        waiting = self._celery.waiting(queue)
        retrying = self._celery.retrying(queue)
        if self._celery.redis:
            return Depth(waiting, retrying)
        return Depth(self._of(queue).waiting(sum(waiting.values())), retrying)

    def send(self, queue: str, priority: Priority, _task: str, batch: Batch, task_id: str) -> None:
        """Put one message on a queue. Raises `Unavailable`: it may be there all the same."""
        heard = self._celery.send(Message(task_id, queue, priority, batch))
        self._on_sent(batch)
        if not heard:
            raise Unavailable("celery broker", "no answer")
        self._of(queue).on_sent(priority)

    def close(self) -> None:
        """Nothing is open."""

    def _of(self, queue: str) -> Attribution:
        return self._attribution.setdefault(queue, Attribution())
