"""Poison messages: a task of its own records what Celery cannot run in the dead-letter topic."""

import base64
import json
from typing import Any, Final

import msgspec
from kombu.message import Message

from events.errors import DeadLetter
from events.lane import Batch, decode_batch
from events.seal import Seal
from tasks.base import EventTask
from tasks.outcomes import Attempt, all_failed

TASK: Final = "tasks.malformed.record"


def disguise(message: Message, fault: str) -> None:
    """Turn the message, in this process only, into a task that records it in the dead-letter topic.

    What the broker holds stays as it is, and is acknowledged once Kafka holds the bytes: a worker that is
    lost meanwhile gets the message again.
    """
    body = message.body if message.body is not None else b""
    raw = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else bytes(body)
    headers = json.dumps(message.headers, default=repr)
    arguments = [base64.b64encode(raw).decode("ascii"), headers, fault]
    become(message, TASK, arguments, f"{len(raw)} bytes, {fault}")


def become(message: Message, task: str, arguments: list[Any], shown: str) -> None:
    """Make a message one for another task, with these arguments; logs and Flower show `shown` of them."""
    message.headers = {
        "task": task,
        "id": f"{task.split('.')[1]}-{message.delivery_tag}",
        "argsrepr": shown,
        "kwargsrepr": "{}",
    }
    message.body = json.dumps([arguments, {}, None], default=repr)
    message.content_type, message.content_encoding = "application/json", "utf-8"
    message.errors = []
    priority = message.properties.get("priority")
    message.properties = {} if priority is None else {"priority": priority}


class RecordMalformed(EventTask):
    """Puts a message that no task can run into the dead-letter topic of its queue, with its bytes."""

    name = TASK

    def run(self, *args: Any, **_: Any) -> str:
        """The body in base64, the headers as JSON, and what is wrong."""
        body, headers, fault = args
        value = base64.b64decode(body)
        batch = batch_in(value, self.equipped[0].seal)
        if batch is None:
            return self.dead_letter(value, headers, ValueError(fault))
        attempt = Attempt(batch, self.delivery().queue, 0, self.clock())
        return self.dead_letters(all_failed(attempt, DeadLetter("rejected", fault)))


def batch_in(body: bytes, seal: Seal) -> Batch | None:
    """The events in a message for a task that is not here: each is owed a dead letter of its own.

    None if it holds no batch, or one that was not signed with our key.
    """
    try:
        (argument,), _, _ = msgspec.json.decode(body, type=tuple[list[object], object, object])
        return decode_batch(seal.open(argument))
    except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError, DeadLetter):
        return None
