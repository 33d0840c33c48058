"""A member of a group whose position Kafka no longer holds: what it reads then, and what it says of it."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from dispatcher.tracking import Tracker
from tests.integration.dispatcher.ground import wait_until
from tests.integration.transport.markers import write_in_a_transaction
from transport import metrics
from transport.group import GroupConsumer, Partition
from transport.kafka import consumer_config, producer_config
from transport.topics import TopicSpec, create_topics

REFRESH: dict[str, Any] = {"topic.metadata.refresh.interval.ms": 500}


class Member:
    """Reads a topic of one partition, and commits all that it read."""

    def __init__(self, kafka: str, topic: str, floor: int | None = None, **overrides: Any) -> None:
        self.values: list[bytes] = []
        self.tracker = Tracker()
        self.consumer = GroupConsumer(
            kafka,
            f"members.of.{topic}",
            topic,
            self.tracker,
            lambda partitions, lost: None,
            floor=lambda _: floor,
            **{**REFRESH, **overrides},
        )

    def reads(self, *values: bytes) -> Callable[[], bool]:
        """Whether exactly these were read by now."""

        def read() -> bool:
            for message in self.consumer.read(100, 0.1):
                place: Partition = (message.topic() or "", message.partition() or 0)
                self.values.append(message.value() or b"")
                self.tracker.begin([(place, message.offset() or 0)], 0)
            self.consumer.commit_when_due()
            return self.values == list(values)

        return read


@contextmanager
def member(kafka: str, topic: str, **settings: Any) -> Iterator[Member]:
    """A member that leaves in the end."""
    made = Member(kafka, topic, **settings)
    try:
        yield made
    finally:
        made.consumer.close()


@pytest.fixture
def admin(kafka: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": kafka})


@pytest.fixture
def topic(admin: AdminClient, unique: Callable[[str], str]) -> str:
    name = unique("grouped")
    create_topics(admin, [TopicSpec(name, 1)])
    return name


def write(kafka: str, topic: str, *values: bytes, partition: int = 0) -> None:
    producer = Producer(producer_config(kafka))
    for value in values:
        producer.produce(topic, value, None, partition)
    assert producer.flush(30) == 0


def expire(admin: AdminClient, topic: str, below: int) -> None:
    """Delete the oldest records, as retention does. Skips if the broker cannot."""
    (deleted,) = admin.delete_records([TopicPartition(topic, 0, below)]).values()
    try:
        deleted.result(30)
    except Exception as error:  # noqa: BLE001 - whatever an embedded broker answers
        pytest.skip(f"this broker deletes no records: {error}")


def lost(topic: str) -> float:
    """How many offsets count as lost."""
    value: float = metrics.OFFSETS_LOST.labels(f"members.of.{topic}", topic)._value.get()
    return value


def test_a_new_group_reads_all_that_there_is(kafka: str, topic: str) -> None:
    write(kafka, topic, b"a", b"b")
    with member(kafka, topic) as reader:
        wait_until(reader.reads(b"a", b"b"), 30, "both are read")
    with member(kafka, topic) as another:
        write(kafka, topic, b"c")
        wait_until(another.reads(b"c"), 30, "it goes on where the first ended")


def test_partitions_that_are_added_are_read_from_their_beginning(
    kafka: str, admin: AdminClient, topic: str
) -> None:
    write(kafka, topic, b"a")
    with member(kafka, topic) as reader:
        wait_until(reader.reads(b"a"), 30, "the first partition is read")
        try:
            admin.create_partitions([NewPartitions(topic, 2)])[topic].result(30)
        except Exception as error:  # noqa: BLE001 - whatever an embedded broker answers
            pytest.skip(f"this broker adds no partitions: {error}")
        write(kafka, topic, b"b", partition=1)
        wait_until(reader.reads(b"a", b"b"), 30, "so is the second")


def test_records_that_expired_unread_are_counted_as_lost(
    kafka: str, admin: AdminClient, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    write(kafka, topic, b"a")
    with member(kafka, topic) as reader:
        wait_until(reader.reads(b"a"), 30, "it has a position")
    write(kafka, topic, b"b", b"c", b"d")
    expire(admin, topic, 3)
    with member(kafka, topic) as reader:
        wait_until(reader.reads(b"d"), 30, "what is left is read")
    assert lost(topic) == 2
    assert "2 records expired unread, from 1 on" in caplog.text
    with member(kafka, topic) as reader:
        write(kafka, topic, b"e")
        wait_until(reader.reads(b"e"), 30, "it goes on")
    assert lost(topic) == 2, "a loss is counted once"


@pytest.mark.skipif(
    "KAFKA_BOOTSTRAP_SERVERS" not in os.environ,
    reason="the embedded broker describes a deleted topic without a name, over which librdkafka crashes",
)
def test_a_topic_that_was_made_again_under_its_reader_is_read_from_its_beginning(
    kafka: str, admin: AdminClient, topic: str
) -> None:
    write(kafka, topic, b"a", b"b", b"c")
    with member(kafka, topic) as reader:
        wait_until(reader.reads(b"a", b"b", b"c"), 30, "the first topic is read")
        admin.delete_topics([topic])[topic].result(30)
        create_topics(admin, [TopicSpec(topic, 1)])
        write(kafka, topic, b"x")
        wait_until(reader.reads(b"a", b"b", b"c", b"x"), 60, "the second is read whole")


def test_a_position_that_expired_is_replaced_by_what_is_known_to_be_done(
    kafka: str, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    write(kafka, topic, b"a", b"b", b"c")
    if end(kafka, topic) < 3:
        pytest.skip("the end that the embedded broker names lags behind")
    with caplog.at_level(logging.WARNING), member(kafka, topic, floor=2) as reader:
        wait_until(reader.reads(b"c"), 30, "what is answered is not read")
    assert "all below 2 is answered" in caplog.text


def test_the_end_is_known_behind_the_marker_of_a_transaction(kafka: str, topic: str) -> None:
    write_in_a_transaction(kafka, topic, {0: [b"a"]})
    with member(kafka, topic, **{"enable.partition.eof": True}) as reader:
        wait_until(reader.reads(b"a"), 30, "it is read")

        def at_the_end() -> bool:
            reader.consumer.read(1, 0.1)
            return reader.consumer.read_to_end((topic, 0)) == end(kafka, topic)

        wait_until(at_the_end, 30, "its end is known")


def end(kafka: str, topic: str) -> int:
    """The offset of the next record to come."""
    consumer = Consumer(consumer_config(kafka, "tests"))
    try:
        high: int = consumer.get_watermark_offsets(TopicPartition(topic, 0), 10)[1]
        return high
    finally:
        consumer.close()
