"""Is every record of a topic read once, and the end found?"""

import time
from collections.abc import Callable

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from monitoring.reading import LogReader
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


def test_reading_nothing_ends_in_time(kafka: str, unique: Callable[[str], str]) -> None:
    reader = LogReader(kafka, [unique("none")])
    start = time.monotonic()
    assert list(reader.read(0.3)) == []
    assert time.monotonic() - start < 5
    reader.close()
