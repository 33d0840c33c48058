"""Headers of any record that Kafka can hold are read, or refused for that record alone."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from events.errors import DeadLetter
from tests.raw_producer import RawHeaders, RawProducer
from transport.kafka import consumer_config, headers_of
from transport.topics import TopicSpec, create_topics

ENOUGH_TO_BE_SPECIALIZED = 100
"""CPython compiles a call site anew once it was passed a few times; the client's error gets lost there."""


@pytest.fixture
def written(kafka: str, unique: Callable[[str], str]) -> Callable[..., list[Message]]:
    """Writes a record for each of the headers handed over, and reads the records."""

    def write(*headers: RawHeaders) -> list[Message]:
        topic = unique("headers")
        create_topics(AdminClient({"bootstrap.servers": kafka}), [TopicSpec(topic, 1)])
        with RawProducer(kafka) as producer:
            for each in headers:
                producer.produce(topic, b"value", b"key", each)
        assert producer.failed == []
        return list(read(kafka, topic, len(headers)))

    return write


def read(kafka: str, topic: str, number: int) -> Iterator[Message]:
    with closing(Consumer(consumer_config(kafka, "tests.headers"))) as consumer:
        consumer.assign([TopicPartition(topic, 0, 0)])
        for message in consumer.consume(number, 30):
            assert message.error() is None
            yield message


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param([(b"a", None)], [("a", None)], id="without a value"),
        pytest.param([(b"a", b"1"), (b"a", b"\xff")], [("a", b"1"), ("a", b"\xff")], id="doubled"),
        pytest.param([(b"", b"")], [("", b"")], id="without a name"),
        pytest.param([("ä".encode(), b"")], [("ä", b"")], id="not ASCII"),
        pytest.param([(b"a", b"x")] * 10_000, [("a", b"x")] * 10_000, id="ten thousand"),
        pytest.param([(b"a", b"x" * 900_000)], [("a", b"x" * 900_000)], id="nearly a megabyte"),
    ],
)
def test_headers_that_can_be_read(
    written: Callable[..., list[Message]], raw: RawHeaders, expected: list[tuple[str, bytes | None]]
) -> None:
    (message,) = written(raw)
    assert list(headers_of(message)) == expected


def test_a_name_that_is_not_utf8_is_refused_each_time_and_the_rest_is_read(
    written: Callable[..., list[Message]],
) -> None:
    bad, good = [(b"good", b"1"), (b"\xff\xfe", b"2")], [(b"good", b"1")]
    for number, message in enumerate(written(*[bad, good] * ENOUGH_TO_BE_SPECIALIZED)):
        for _ in range(2):
            if number % 2:
                assert list(headers_of(message)) == [("good", b"1")]
            else:
                with pytest.raises(DeadLetter, match="not UTF-8") as refusal:
                    headers_of(message)
                assert refusal.value.cause == "undecodable"
        assert (message.value(), message.key()) == (b"value", b"key")
