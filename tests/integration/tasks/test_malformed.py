"""Foreign messages on a queue become dead letters."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from kombu import Connection
from redis import Redis

from events.lane import Batch, encode_batch
from tests.integration.tasks.rig import TASK, Rig, fed, wait_until
from transport.queues import celery_queue, transport_options

BODY = json.dumps([["bm90IGEgYmF0Y2g="], {}, None])
JSON = {"content_type": "application/json", "content_encoding": "utf-8"}


def headers(**changes: Any) -> dict[str, Any]:
    """What a task's message says of itself."""
    said = {"task": TASK, "id": "t-1", "retries": 0, "eta": None, "expires": None, **changes}
    return {name: value for name, value in said.items() if value is not ...}


MALFORMED: dict[str, dict[str, Any]] = {
    "nothing at all": {"body": b""},
    "no id": {"body": BODY, "headers": headers(id=...), **JSON},
    "an id that is no text": {"body": BODY, "headers": headers(id=7), **JSON},
    "no task": {"body": BODY, "headers": headers(task=...), **JSON},
    "a task that nobody knows": {"body": BODY, "headers": headers(task="tasks.nobody.knows"), **JSON},
    "no body": {"body": b"", "headers": headers(), **JSON},
    "a body that is no JSON": {"body": b"\xff\xfe{", "headers": headers(), **JSON},
    "a body that holds no arguments": {"body": b'{"a": 1}', "headers": headers(), **JSON},
    "arguments of another task": {"body": json.dumps([[1, 2], {"x": 1}, None]), "headers": headers(), **JSON},
    "an argument that is no batch": {"body": BODY, "headers": headers(), **JSON},
    "a pickle": {
        "body": b"\x80\x04N.",
        "headers": headers(),
        "content_type": "application/x-python-serialize",
        "content_encoding": "binary",
    },
    "an encoding that nobody knows": {
        "body": BODY,
        "headers": headers(),
        "content_type": "application/json",
        "content_encoding": "klingon",
    },
    "compressed with nothing": {"body": b"abc", "headers": headers(compression="application/x-gzip"), **JSON},
    "an eta that is no time": {"body": BODY, "headers": headers(eta="soon"), **JSON},
    "an eta beyond time": {"body": BODY, "headers": headers(eta="9999-12-31T23:59:59-12:00"), **JSON},
    "a time limit that is none": {"body": BODY, "headers": headers(timelimit=[1]), **JSON},
    "retries that are no number": {"body": BODY, "headers": headers(retries="many"), **JSON},
    "stamps that are none": {"body": BODY, "headers": headers(stamped_headers=5), **JSON},
}


def publish(rig: Rig, body: str | bytes, **message: Any) -> None:
    """Put a message on the queue as any client of the broker could."""
    raw = body.encode() if isinstance(body, str) else body
    if rig.broker_url.startswith("redis"):
        said = {name.replace("_", "-"): value for name, value in message.items()}
        with Redis.from_url(rig.broker_url) as client:
            client.lpush(rig.spec.name, json.dumps(envelope(rig.spec.name, raw, **said)))
        return
    with Connection(rig.broker_url) as connection:
        channel: Any = connection.default_channel
        celery_queue(rig.spec.name)(channel).declare()
        channel.basic_publish(channel.prepare_message(raw, **message), "", rig.spec.name)


def test_malformed_messages_stand_in_the_dlq_and_the_worker_goes_on(rig: Rig) -> None:
    worker = rig.start()
    for message in MALFORMED.values():
        publish(rig, **message)
    rig.send({"good": {}})

    rig.wait_for(predictions=1, letters=len(MALFORMED), seconds=60)

    assert rig.causes == {"undecodable": len(MALFORMED)}
    assert b"\x80\x04N." in [value for value, _ in rig.letters]
    assert worker.running
    assert worker.text.count(" ready.") == 1
    assert "Connection to broker lost" not in worker.text


def batch_for(rig: Rig, task: str, **decision: Any) -> None:
    """A message of three events for a task of this name."""
    batch = Batch(1, tuple(fed(f"e{number}", rig.spec.name, {}, number, **decision) for number in range(3)))
    publish(rig, json.dumps([[encode_batch(batch)], {}, None]), headers=headers(task=task), **JSON)


def test_events_for_a_misspelt_task_are_worked_on_by_their_queues_task(rig: Rig) -> None:
    worker = rig.start()
    batch_for(rig, "tests.scripted.dcide")

    rig.wait_for(predictions=3, letters=0, seconds=30)
    assert "tests.scripted.dcide" in worker.text


def test_events_of_another_workflow_for_a_task_that_is_not_here_stay_on_the_queue(rig: Rig) -> None:
    worker = rig.start()
    batch_for(rig, "tests.gone", workflow="gone")
    wait_until(lambda: "a message stays on" in worker.text, 30, "the message is held")
    rig.send({"good": {}})

    rig.wait_for(predictions=1, letters=0, seconds=30)


def test_a_task_of_another_pool_goes_to_its_own_queue(rig: Rig, unique: Callable[[str], str]) -> None:
    other = replace(rig.spec, name=unique("ml.other.input"), task="tests.other.decide", workflow="other")
    rig.also = (other,)
    worker = rig.start()
    publish(rig, BODY, headers=headers(task=other.task), **JSON)
    wait_until(lambda: f"sent to {other.name}" in worker.text, 30, "the message is sent home")

    with Connection(rig.broker_url, transport_options=transport_options(rig.broker_url)) as connection:
        message: Any = celery_queue(other.name)(connection.default_channel).get()
    assert (message.headers["task"], message.headers["id"]) == (other.task, "t-1")
    assert json.loads(message.body) == json.loads(BODY)


def envelope(queue: str, raw: bytes, **changes: Any) -> dict[str, Any]:
    """What kombu wraps around a body in Redis."""
    return {
        "body": base64.b64encode(raw).decode(),
        "headers": {},
        "content-type": None,
        "content-encoding": None,
        "properties": {
            "delivery_tag": str(uuid4()),
            "delivery_info": {"exchange": "", "routing_key": queue},
            "body_encoding": "base64",
        },
        **changes,
    }


GARBAGE: dict[str, Callable[[str], object]] = {
    "no object": lambda _queue: [1, 2],
    "an empty object": lambda _queue: {},
    "no delivery tag": lambda queue: envelope(
        queue, b"x", properties={"delivery_info": {"exchange": "", "routing_key": queue}}
    ),
    "no delivery info": lambda queue: envelope(queue, b"x", properties={"delivery_tag": "1"}),
    "headers that are a list": lambda queue: envelope(queue, b"x", headers=[1]),
    "a body that is a number": lambda queue: envelope(queue, b"x", body=5),
    "a body that is no base64": lambda queue: envelope(queue, b"x", body="abcde"),
}


# RabbitMQ holds messages only
@pytest.mark.parametrize("broker_url", ["redis"], indirect=True)
def test_what_is_no_message_at_all_in_a_redis_list_does_not_stop_a_worker(rig: Rig) -> None:
    worker = rig.start()
    with Redis.from_url(rig.broker_url) as client:
        client.lpush(rig.spec.name, b"\x00garbage")
        for make in GARBAGE.values():
            client.lpush(rig.spec.name, json.dumps(make(rig.spec.name)))
    rig.send({"good": {}})

    rig.wait_for(predictions=1, letters=len(GARBAGE) + 1, seconds=60)

    assert b"\x00garbage" in [value for value, _ in rig.letters]
    assert worker.running
    assert "Connection to broker lost" not in worker.text
