"""Tasks that do with a message what its own task cannot do here: send it to its queue, or keep it waiting."""

import base64
import json
from typing import Any, Final

from celery.utils.log import get_task_logger
from kombu.exceptions import OperationalError
from kombu.message import Message

from tasks.base import EventTask
from tasks.belonging import Hold, SendHome
from tasks.malformed import become
from transport.metrics import MISPLACED
from transport.queues import celery_queue

SEND_HOME: Final = "tasks.misplaced.send_home"
HOLD: Final = "tasks.misplaced.hold"
MOVES: Final = "signalbox_moves"
HOLD_MS = 5_000
"""How long a message that nothing can run keeps one place of the pool, before it goes back to its queue."""

logger = get_task_logger(__name__)


def moves_of(message: Message) -> int:
    """How often a message was sent to another queue."""
    said = message.headers.get(MOVES)
    return said if isinstance(said, int) else 0


def send_home(message: Message, move: SendHome) -> None:
    """Turn the message, in this process only, into one that `SendsHome` sends to its queue."""
    body = message.body if message.body is not None else b""
    raw = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else bytes(body)
    said = {**message.headers, MOVES: moves_of(message) + 1}
    kind = [message.content_type, message.content_encoding]
    arguments = [move.queue, base64.b64encode(raw).decode("ascii"), said, kind]
    become(message, SEND_HOME, arguments, f"{said.get('task')} to {move.queue}")


def hold(message: Message, move: Hold) -> None:
    """Turn the message, in this process only, into one that `Holds` gives back after a pause."""
    become(message, HOLD, [move.reason], move.reason)


class SendsHome(EventTask):
    """Sends a message for a task of another pool to that task's queue."""

    name = SEND_HOME

    def run(self, *args: Any, **_: Any) -> str:
        """The queue, the body in base64, its headers, its content type and encoding."""
        queue, body, headers, (content_type, content_encoding) = args
        delivery = self.delivery()
        try:
            with self.app.producer_or_acquire() as producer:
                producer.publish(
                    base64.b64decode(body),
                    exchange="",
                    routing_key=queue,
                    headers=json.loads(json.dumps(headers, default=repr)),
                    content_type=content_type,
                    content_encoding=content_encoding,
                    priority=delivery.priority,
                    correlation_id=headers.get("id"),
                    declare=[celery_queue(queue)],
                )
        except OperationalError as error:
            self.give_back(error)
        MISPLACED.labels(delivery.queue, "sent home").inc()
        logger.warning("%s came on %s: sent to %s, its own queue", headers.get("task"), delivery.queue, queue)
        return f"sent to {queue}"


class Holds(EventTask):
    """Keeps a message that nothing here can run on its queue. Its events wait, as in an outage."""

    name = HOLD

    def run(self, *args: Any, **_: Any) -> str:
        """Why nothing can run it."""
        delivery = self.delivery()
        MISPLACED.labels(delivery.queue, "held").inc()
        logger.error("a message stays on %s: %s", delivery.queue, args[0])
        began = self.timer.now()
        while self.timer.now() - began < HOLD_MS and not self.stopping():
            self.timer.sleep(100)
        self.give_back(args[0])
