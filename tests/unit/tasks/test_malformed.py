"""A message that Celery cannot run becomes a dead letter."""

import json
from typing import Any

import pytest
from celery.exceptions import Reject
from kombu.message import Message

from events.deadletter import DeadLetterHeaders
from events.lane import Batch, encode_batch
from events.seal import Seal
from tasks.envelope import fault_of
from tasks.malformed import TASK, batch_in, disguise
from tests.unit.tasks.bench import Bench
from tests.unit.tasks.fakes import NOW, Kafka, batch_of, broken, fed
from tests.unit.tasks.test_envelope import NOW as THEN


def record(bench: Bench, message: Message, fault: str) -> str:
    """The worker's way: disguised in the main process, recorded in the pool's."""
    disguise(message, fault)
    args, kwargs, _ = json.loads(message.body or "")
    with bench.message(bench.malformed, tuple(args), kwargs, message.headers["id"]):
        return str(bench.malformed.run(*args, **kwargs))


@pytest.mark.parametrize(
    ("body", "value"),
    [
        pytest.param(b"\x80\x04N.", b"\x80\x04N.", id="bytes"),
        pytest.param("text", b"text", id="text"),
        pytest.param("\udcff", b"\xff", id="text that hid a byte"),
        pytest.param(None, b"", id="nothing"),
    ],
)
def test_its_bytes_and_headers_stand_in_the_dlq(body: Any, value: bytes) -> None:
    bench = Bench()

    headers: Any = {"task": "x", "id": 7}
    record(bench, Message(body, delivery_tag="t", headers=headers), "its id is a number")

    (written,) = bench.kafka.records
    said = DeadLetterHeaders.parse(written.headers)
    assert written.topic == f"{bench.queue}.dlq"
    assert written.value == value
    assert (said.cause, said.message) == ("undecodable", "its id is a number")
    assert said.original.topic == f"celery:{bench.queue}"
    assert dict(written.headers)["celery.headers"] == b'{"task": "x", "id": 7}'


def test_of_one_that_kafka_would_not_take_the_beginning_stands_there() -> None:
    bench = Bench()
    headers: Any = {"task": "x" * 9_000_000}

    record(bench, Message("y" * 9_000_000, delivery_tag="t", headers=headers), "z" * 9_000_000)

    (written,) = bench.kafka.records
    size = len(written.value or b"") + sum(len(value or b"") for _, value in written.headers)
    assert 1_000_000 <= size < 2_000_000
    assert dict(written.headers)["celery.bytes"] == b"9000000"


def test_in_disguise_it_is_a_task_that_celery_can_run() -> None:
    message = Message("", delivery_tag="t", headers={"task": "?"}, properties=dict[str, Any](priority=6))

    disguise(message, "its task is a mark")

    known = frozenset({TASK})
    body, encoding = message.body or "", message.content_encoding
    assert fault_of(message.headers, message.content_type, encoding, body, known, THEN) is None
    assert dict[str, Any](message.properties) == {"priority": 6}


def test_events_for_a_task_that_is_not_here_have_a_dead_letter_each() -> None:
    bench = Bench()
    batch = Batch(NOW, (fed("a"), broken(), fed("b", 2)))
    body = json.dumps([[encode_batch(batch)], {}, None])

    answer = record(bench, Message(body, delivery_tag="t", headers={}), "no task tasks.gone here")

    letters = [DeadLetterHeaders.parse(written.headers) for written in bench.kafka.records]
    assert answer == "3 dead letters"
    assert [letter.cause for letter in letters] == ["rejected", "undecodable", "rejected"]
    assert [letter.lane.offset for letter in letters if letter.lane] == [1_200, 1_209, 1_202]


def test_it_is_given_back_while_kafka_is_down() -> None:
    bench = Bench(kafka=Kafka(down=1_000))

    with pytest.raises(Reject) as caught:
        record(bench, Message("?", delivery_tag="t"), "nothing in it")

    assert vars(caught.value)["requeue"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[[1], {}, null]", id="another argument"),
        pytest.param(b"[" * 100_000, id="JSON without a bottom"),
        pytest.param(b'[["a", "b"], {}, null]', id="two arguments"),
    ],
)
def test_no_batch_is_found_where_none_is(body: bytes) -> None:
    assert batch_in(body, Seal()) is None


def test_a_batch_is_found_where_one_is() -> None:
    assert batch_in(json.dumps([[encode_batch(batch_of("a"))], {}, None]).encode(), Seal()) == batch_of("a")
