"""A transaction's marker takes an offset that no consumer is given: every reading ends all the same."""

import time
from collections.abc import Callable

import pytest
from confluent_kafka.admin import AdminClient

from features.histories import TopicHistory
from monitoring.reading import LogReader
from tests.integration.transport.markers import write_in_a_transaction
from transport.kafka import holds
from transport.tail import records_since
from transport.topics import TopicSpec, create_topics

VALUES = {0: [b"a", b"b"], 1: [b"c"]}
"""Two of three partitions end with a marker, the third is empty."""


@pytest.fixture
def topic(kafka: str, unique: Callable[[str], str]) -> str:
    name = unique("marked")
    create_topics(AdminClient({"bootstrap.servers": kafka}), [TopicSpec(name, 3)])
    write_in_a_transaction(kafka, name, VALUES)
    return name


def test_what_came_since_is_read_to_a_marker(kafka: str, topic: str) -> None:
    began = time.monotonic()
    assert sorted(message.value() or b"" for message in records_since(kafka, topic, 0)) == [b"a", b"b", b"c"]
    assert time.monotonic() < began + 9


def test_a_backfill_ends_at_a_marker(kafka: str, topic: str) -> None:
    began = time.monotonic()
    assert sorted(record.value or b"" for record in TopicHistory(kafka, topic).read()) == [b"a", b"b", b"c"]
    assert time.monotonic() < began + 20


def test_the_balance_reads_to_a_marker(kafka: str, topic: str) -> None:
    reader = LogReader(kafka, [topic])
    assert sorted(message.value() or b"" for message in reader.read_all(0.3)) == [b"a", b"b", b"c"]
    assert reader.caught_up(topic)
    reader.close()


def test_a_marker_is_there_and_what_comes_after_it_is_not(kafka: str, topic: str) -> None:
    assert holds(kafka, (topic, 0), 1, 5)
    assert holds(kafka, (topic, 0), 2, 5), "the marker"
    assert not holds(kafka, (topic, 0), 3, 1)
    assert not holds(kafka, (topic, 2), 0, 1), "an empty partition"
