"""Every record of a topic is read once, and the end is found."""

import time
from collections.abc import Callable

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from monitoring.reading import LogReader
from tests import services
from transport.kafka import producer_config
from transport.topics import TopicSpec, create_topics


def test_topics_are_read_from_their_beginning_to_their_end_and_on(
    kafka: str, unique: Callable[[str], str]
) -> None:
    topics = [unique("events"), unique("outcomes")]
    create_topics(AdminClient({"bootstrap.servers": kafka}), [TopicSpec(name, 3) for name in topics])
    producer = Producer(producer_config(kafka))

    def write(numbers: range) -> None:
        for number in numbers:
            producer.produce(topics[number % 2], value=str(number).encode())
        assert producer.flush(10) == 0

    reader = LogReader(kafka, [*topics, unique("there is no such topic")])
    write(range(1_000))
    first = [int(message.value() or b"") for message in reader.read_all(quiet=1)]
    write(range(1_000, 1_200))
    second = [int(message.value() or b"") for message in reader.read_all(quiet=1)]
    reader.close()
    assert sorted(first) == list(range(1_000))
    assert sorted(second) == list(range(1_000, 1_200))


def test_what_came_after_the_reading_began_need_not_be_waited_for(
    kafka: str, unique: Callable[[str], str]
) -> None:
    topic = unique("predictions")
    create_topics(AdminClient({"bootstrap.servers": kafka}), [TopicSpec(topic, 1)])
    producer = Producer(producer_config(kafka))

    def write(number: int) -> None:
        producer.produce(topic, value=str(number).encode())
        assert producer.flush(10) == 0

    for number in range(10):
        write(number)
    reader = LogReader(kafka, [topic])
    found = []
    for message in reader.read_up_to_now(topic, quiet=10):
        found.append(int(message.value() or b""))
        # a live system: for each record that is read, another one comes
        write(10 + len(found))
        if len(found) > 100:
            break
    reader.close()
    assert found == list(range(10))


def test_reading_nothing_ends_in_time(kafka: str, unique: Callable[[str], str]) -> None:
    reader = LogReader(kafka, [unique("none")])
    start = time.monotonic()
    assert list(reader.read(0.3)) == []
    assert time.monotonic() - start < 5
    reader.close()


def test_of_each_partition_only_the_newest_are_read_where_that_is_asked_for(
    kafka: str, unique: Callable[[str], str]
) -> None:
    topic = unique("predictions")
    create_topics(AdminClient({"bootstrap.servers": kafka}), [TopicSpec(topic, 3)])
    producer = Producer(producer_config(kafka))
    for number in range(40):
        # nine times as many in one partition as in another, and nothing in the third
        producer.produce(topic, value=str(number).encode(), partition=0 if number % 10 else 1)
        # one at a time: an embedded broker tells where the last batch began, not where it ended
        assert producer.flush(10) == 0
    reader = LogReader(kafka, [topic], newest=6)
    found = sorted(int(message.value() or b"") for message in reader.read_up_to_now(topic, quiet=1))
    reader.close()
    assert found == sorted([0, 10, 20, 30, *range(34, 40)])


def test_what_retention_has_taken_is_known(kafka: str, unique: Callable[[str], str]) -> None:
    if services.configured("KAFKA_BOOTSTRAP_SERVERS") is None:
        pytest.skip("an embedded Kafka takes nothing away")
    topic, admin = unique("lane"), AdminClient({"bootstrap.servers": kafka})
    create_topics(admin, [TopicSpec(topic, 2)])
    producer = Producer(producer_config(kafka))
    for number in range(10):
        producer.produce(topic, value=str(number).encode(), partition=0)
    assert producer.flush(10) == 0
    admin.delete_records([TopicPartition(topic, 0, 7)])[TopicPartition(topic, 0, 7)].result()
    reader = LogReader(kafka, [topic])
    found = list(reader.read_all(quiet=0.5))
    held = reader.held()
    reader.close()
    assert [message.offset() for message in found] == [7, 8, 9]
    assert (held.begin((topic, 0)), held.begin((topic, 1))) == (7, 0)
    assert held.whole_since([topic]) == found[0].timestamp()[1]
