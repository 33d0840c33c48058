"""What becomes of each record of a batch that Kafka takes in part, or not at all."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from transport import publisher
from transport.kafka import Outgoing
from transport.publisher import Judgement, Publisher, Unwritten, judge

TOO_LARGE = KafkaError.MSG_SIZE_TOO_LARGE


@dataclass
class Kafka:
    """Takes each record but those of a refused topic, and those of a batch with a large one in it.

    If it is `fatal`, its first producer takes nothing.
    """

    refused: dict[str, int] = field(default_factory=dict)
    at_once: bool = False
    fatal: bool = False
    held: list[bytes | None] = field(default_factory=list)
    producers: int = 0

    def producer(self, *_: Any, **__: Any) -> "Producer":
        """In the place of `confluent_kafka.Producer`."""
        self.producers += 1
        return Producer(self, fatal=self.fatal and self.producers == 1)


class Producer:
    """One batch for each flush."""

    def __init__(self, kafka: Kafka, *, fatal: bool) -> None:
        self._kafka = kafka
        self._fatal = fatal
        self._written: list[tuple[str, bytes | None, Callable[..., None]]] = []

    def produce(self, topic: str, value: bytes | None, on_delivery: Callable[..., None], **_: Any) -> None:
        """As the client does."""
        if self._fatal:
            raise KafkaException(KafkaError(KafkaError._FATAL, "by design", fatal=True))
        if self._kafka.at_once and topic in self._kafka.refused:
            raise KafkaException(KafkaError(self._kafka.refused[topic]))
        self._written.append((topic, value, on_delivery))

    def flush(self, _timeout: float) -> None:
        """Kafka's answers."""
        written, self._written = self._written, []
        large = any(value == b"large" for _, value, _ in written)
        for topic, value, delivered in written:
            code = self._kafka.refused.get(topic, TOO_LARGE if large else None)
            if code is None:
                self._kafka.held.append(value)
            delivered(None if code is None else KafkaError(code), None)

    def purge(self) -> None:
        """Nothing is kept."""


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    """One that takes all."""
    made = Kafka()
    monkeypatch.setattr(publisher, "Producer", made.producer)
    return made


def batch(*values: bytes, topic: str = "ml.predictions") -> list[Outgoing]:
    """Records for one topic."""
    return [Outgoing(topic, value) for value in values]


def refusal(records: Sequence[Outgoing]) -> Unwritten:
    """How a try to publish these ends."""
    with pytest.raises(Unwritten) as caught:
        Publisher("nowhere:9092").publish(records, 1)
    return caught.value


@pytest.mark.parametrize("number", [1, 2, 7, 1_024])
def test_of_a_batch_with_one_record_that_is_too_large_all_others_are_written_once(
    kafka: Kafka, number: int
) -> None:
    values = [str(place).encode() for place in range(number)]
    values[number // 2] = b"large"

    error = refusal(batch(*values))

    assert (error.left, list(error.refused)) == ((), [number // 2])
    assert Counter(kafka.held) == Counter(value for value in values if value != b"large")


@pytest.mark.parametrize("at_once", [True, False], ids=["known to the client", "answered by Kafka"])
def test_a_topic_that_takes_nothing_is_named_and_holds_up_no_record_of_another(
    kafka: Kafka, at_once: bool
) -> None:
    kafka.refused, kafka.at_once = {"ml.test.dlq": KafkaError.TOPIC_AUTHORIZATION_FAILED}, at_once

    error = refusal([*batch(b"a"), *batch(b"b", topic="ml.test.dlq"), *batch(b"c")])

    assert (error.left, error.refused) == ((1,), {})
    assert error.dependency == "kafka topic ml.test.dlq"
    assert kafka.held == [b"a", b"c"]


def test_what_kafka_may_take_later_is_left_over_and_says_of_which_topic(kafka: Kafka) -> None:
    kafka.refused = {"ml.predictions": KafkaError.NOT_ENOUGH_REPLICAS}

    error = refusal(batch(b"a", b"b"))

    assert (error.left, error.refused, error.dependency) == ((0, 1), {}, "kafka")
    assert "ml.predictions" in str(error)


def test_while_kafka_is_away_no_record_counts_as_too_large(kafka: Kafka) -> None:
    kafka.refused = {"ml.test.dlq": KafkaError._MSG_TIMED_OUT}

    error = refusal([*batch(b"a", b"large"), *batch(b"b", topic="ml.test.dlq")])

    assert (error.left, error.refused) == ((0, 1, 2), {})


def test_after_a_fatal_error_another_producer_writes(kafka: Kafka) -> None:
    kafka.fatal = True
    made = Publisher("nowhere:9092")

    with pytest.raises(Unwritten) as caught:
        made.publish(batch(b"a", b"b"), 1)
    made.publish(batch(b"a", b"b"), 1)

    assert caught.value.left == (0, 1)
    assert kafka.held == [b"a", b"b"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param(KafkaError.MSG_SIZE_TOO_LARGE, "record", id="too large"),
        pytest.param(KafkaError.INVALID_RECORD, "record", id="an interceptor or compaction refuses it"),
        pytest.param(KafkaError.INVALID_TIMESTAMP, "record", id="its time is out of bounds"),
        pytest.param(KafkaError.TOPIC_AUTHORIZATION_FAILED, "topic", id="an ACL was taken away"),
        pytest.param(KafkaError.UNKNOWN_TOPIC_OR_PART, "topic", id="a topic was deleted"),
        pytest.param(KafkaError._UNKNOWN_TOPIC, "topic", id="the client knows no such topic"),
        pytest.param(KafkaError.NOT_ENOUGH_REPLICAS, "later", id="replicas are away"),
        pytest.param(KafkaError._MSG_TIMED_OUT, "later", id="no answer in time"),
        pytest.param(KafkaError.CLUSTER_AUTHORIZATION_FAILED, "later", id="the whole cluster refuses"),
        pytest.param(KafkaError._FATAL, "producer", id="the producer takes nothing more"),
        pytest.param(9_999, "later", id="unheard of: nothing is given up for it"),
    ],
)
def test_each_error_is_judged_once(code: int, expected: Judgement) -> None:
    assert judge(KafkaError(code)) == expected


def test_an_error_that_is_fatal_is_the_producers_whatever_its_code() -> None:
    assert judge(KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, fatal=True)) == "producer"
