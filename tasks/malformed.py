"""Can Celery run this message? One that it cannot would be dropped, end the worker, or make it reconnect for ever."""

import base64
import json
from collections.abc import Container, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from kombu.message import Message
from msgspec import Meta

from events.errors import DeadLetter
from events.lane import Batch, decode_batch
from tasks.base import EventTask
from tasks.outcomes import Attempt, all_failed

TASK: Final = "tasks.malformed.record"
LATEST_ETA = timedelta(hours=1)
ENCODINGS = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


class _Headers(msgspec.Struct):
    """What Celery's message protocol 2 says of a task, as far as Celery acts on it."""

    task: Annotated[str, Meta(min_length=1)]
    id: Annotated[str, Meta(min_length=1)]
    retries: Annotated[int, Meta(ge=0)] | None = None
    eta: str | None = None
    expires: None = None
    timelimit: tuple[float | None, float | None] | None = None
    ignore_result: bool | None = None
    shadow: str | None = None
    root_id: str | None = None
    parent_id: str | None = None
    group: None = None
    argsrepr: str | None = None
    kwargsrepr: str | None = None
    stamped_headers: None = None
    compression: str | None = None


class _Embedded(msgspec.Struct):
    """What is to follow a task. Nothing follows an inference."""

    callbacks: None = None
    errbacks: None = None
    chain: None = None
    chord: None = None


_decode_body = msgspec.json.Decoder(tuple[list[msgspec.Raw], dict[str, msgspec.Raw], _Embedded | None]).decode


def fault_of(
    headers: Mapping[str, Any],
    content_type: object,
    content_encoding: object,
    body: bytes | str,
    known: Container[str],
    now: datetime,
) -> str | None:
    """Why Celery could not run this message as a task that is `known`; None where it can."""
    try:
        said = msgspec.convert(dict(headers), _Headers)
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        return f"its headers are no task's: {error}"
    if said.task not in known:
        return f"no task {said.task} here"
    if content_type != "application/json" or str(content_encoding).lower() not in ENCODINGS:
        return f"its body is {content_type} in {content_encoding}, not JSON in UTF-8"
    try:
        _decode_body(body)
    except (msgspec.MsgspecError, UnicodeError) as error:
        return f"its body holds no arguments: {error}"
    return _fault_of_eta(said.eta, now) if said.eta is not None else None


def _fault_of_eta(text: str, now: datetime) -> str | None:
    try:
        eta = datetime.fromisoformat(text)
    except ValueError as error:
        return f"its eta is no time: {error}"
    if eta.replace(tzinfo=eta.tzinfo or UTC) - now > LATEST_ETA:
        # a worker would keep it in memory until then
        return f"its eta {text} is too far away"
    return None


def disguise(message: Message, fault: str) -> None:
    """Turn the message, in this process only, into a task that records it in the dead-letter topic.

    What the broker holds stays as it is, and is acknowledged once Kafka holds the bytes: a worker that is lost meanwhile gets
    the message again.
    """
    body = message.body if message.body is not None else b""
    raw = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else bytes(body)
    headers = json.dumps(message.headers, default=repr)
    arguments = [base64.b64encode(raw).decode("ascii"), headers, fault]
    message.headers = {
        "task": TASK,
        "id": f"malformed-{message.delivery_tag}",
        "argsrepr": f"{len(raw)} bytes, {fault}",
        "kwargsrepr": "{}",
    }
    message.body = json.dumps([arguments, {}, None])
    message.content_type, message.content_encoding = "application/json", "utf-8"
    message.errors = []
    message._decoded_cache = None
    properties = message.properties if isinstance(message.properties, dict) else {}
    message.properties = {"priority": properties.get("priority")}


class RecordMalformed(EventTask):
    """Puts a message that no task can run into the dead-letter topic of its queue, with its bytes."""

    name = TASK

    def run(self, *args: Any, **kwargs: Any) -> str:
        """The body in base64, the headers as JSON, and what is wrong."""
        body, headers, fault = args
        value = base64.b64decode(body)
        batch = batch_in(value)
        if batch is None:
            return self.dead_letter(value, headers, ValueError(fault))
        attempt = Attempt(batch, self.delivery().queue, 0, self.clock())
        return self.dead_letters(all_failed(attempt, DeadLetter("rejected", fault)))


def batch_in(body: bytes) -> Batch | None:
    """The events in the body of a message for a task that is not here: each is owed a dead letter of its own."""
    try:
        (argument,), _, _ = msgspec.json.decode(body, type=tuple[list[object], object, object])
        return decode_batch(argument)
    except (msgspec.MsgspecError, UnicodeError, ValueError, DeadLetter):
        return None
