"""A publisher against a Kafka: what is refused alone, and a producer that met a fatal error."""

import secrets
from collections import Counter
from collections.abc import Callable

import pytest

from monitoring.reading import LogReader
from tests.fatal import make_fatal
from transport.kafka import Outgoing, admin_client
from transport.publisher import Publisher, Unwritten
from transport.topics import TopicSpec, create_topics

TIMEOUT_S = 30.0


def in_kafka(kafka: str, topic: str) -> Counter[bytes | None]:
    """How often each key stands in a topic."""
    reader = LogReader(kafka, [topic])
    try:
        return Counter(message.key() for message in reader.read_all())
    finally:
        reader.close()


def test_the_others_of_a_batch_with_a_record_that_is_too_large_are_written_once(
    kafka: str, unique: Callable[[str], str]
) -> None:
    topic = unique("ml.predictions")
    create_topics(admin_client(kafka), [TopicSpec(topic, 2)])
    keys = [str(number).encode() for number in range(256)]
    values = [b"{}"] * len(keys)
    values[100] = secrets.token_bytes(300_000)
    records = [Outgoing(topic, value, key) for key, value in zip(keys, values, strict=True)]
    publisher = Publisher(kafka, **{"message.max.bytes": 200_000})

    with pytest.raises(Unwritten) as caught:
        publisher.publish(records, TIMEOUT_S)

    assert (caught.value.left, list(caught.value.refused)) == ((), [100])
    assert in_kafka(kafka, topic) == Counter(key for key in keys if key != b"100")


def test_another_producer_goes_on_after_a_fatal_error(kafka: str, unique: Callable[[str], str]) -> None:
    topic = unique("ml.predictions")
    create_topics(admin_client(kafka), [TopicSpec(topic, 2)])
    publisher = Publisher(kafka)
    publisher.publish([Outgoing(topic, b"{}", b"a")], TIMEOUT_S)
    make_fatal(publisher._producer)

    with pytest.raises(Unwritten) as caught:
        publisher.publish([Outgoing(topic, b"{}", b"b")], TIMEOUT_S)
    assert caught.value.left == (0,)
    publisher.publish([Outgoing(topic, b"{}", b"b")], TIMEOUT_S)

    assert in_kafka(kafka, topic) == Counter([b"a", b"b"])
