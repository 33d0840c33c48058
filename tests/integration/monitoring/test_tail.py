"""All records of a topic since a time are read, and the reading ends."""

from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.admin import AdminClient

from transport.clock import system_clock
from transport.kafka import producer_config
from transport.tail import records_since
from transport.topics import TopicSpec, create_topics

SINCE = system_clock() - 60_000
"""Kafka refuses what claims to be far ahead, and forgets what is older than its retention."""


@pytest.fixture
def topic(kafka: str, unique: Callable[[str], str]) -> str:
    name = unique("tail")
    create_topics(AdminClient({"bootstrap.servers": kafka}), [TopicSpec(name, 3)])
    return name


def write(kafka: str, topic: str, at: int, *values: bytes) -> None:
    producer, refused = Producer(producer_config(kafka)), list[KafkaError]()

    def delivered(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            refused.append(error)

    for number, value in enumerate(values):
        producer.produce(topic, value, None, number % 2, delivered, timestamp=at)
    assert producer.flush(30) == 0
    assert refused == []


def test_what_came_since_is_read_whatever_partitions_are_empty(kafka: str, topic: str) -> None:
    write(kafka, topic, SINCE - 1, b"old", b"older")
    write(kafka, topic, SINCE, b"a", b"b", b"c")
    assert sorted(message.value() or b"" for message in records_since(kafka, topic, SINCE)) == [
        b"a",
        b"b",
        b"c",
    ]


def test_nothing_came_since(kafka: str, topic: str) -> None:
    write(kafka, topic, SINCE - 1, b"old")
    assert list(records_since(kafka, topic, SINCE)) == []


def test_a_topic_that_does_not_exist_is_empty(kafka: str, unique: Callable[[str], str]) -> None:
    assert list(records_since(kafka, unique("nowhere"), 0)) == []
