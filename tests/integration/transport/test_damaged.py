"""A batch that the client cannot inflate is passed over, and everything behind it is read."""

from collections.abc import Callable, Iterable, Mapping

import pytest
from confluent_kafka.admin import AdminClient

from features.histories import TopicHistory
from monitoring.reading import LogReader
from tests.integration.dispatcher.ground import wait_until
from tests.raw_producer import RawProducer
from transport.group import GroupConsumer, Partition
from transport.tail import records_since
from transport.topics import TopicSpec, create_topics

TOO_MUCH = b" " * 260_000_000
"""More than a consumer inflates of zstd; 8 KB on the wire."""


class Nothing:
    """Progress that is never committed."""

    def take_committable(self) -> dict[Partition, int]:
        return {}

    def restore(self, positions: Mapping[Partition, int]) -> None: ...

    def forget(self, partitions: Iterable[Partition]) -> None: ...


@pytest.fixture
def topic(kafka: str, unique: Callable[[str], str]) -> str:
    """A topic with one such batch between two records."""
    name = unique("damaged")
    create_topics(AdminClient({"bootstrap.servers": kafka}), [TopicSpec(name, 1)])
    settings = {"compression.type": "zstd", "message.max.bytes": 300_000_000}
    with RawProducer(kafka, **settings) as producer:
        for value in (b"before", TOO_MUCH, b"behind"):
            producer.produce(name, value)
            producer.flush()
    if producer.failed:
        pytest.skip("the embedded broker does not take it")
    return name


def test_every_reader_passes_it_over(kafka: str, topic: str) -> None:
    expected = [b"before", b"behind"]
    consumer, read = (
        GroupConsumer(kafka, topic, topic, Nothing(), lambda _partitions, _lost: None),
        list[bytes | None](),
    )

    def all_read() -> bool:
        read.extend(message.value() for message in consumer.read(10, 0.1))
        return len(read) == len(expected)

    wait_until(all_read, 30, "the group reads what is behind")
    consumer.close()
    log = LogReader(kafka, [topic])
    assert [message.value() for message in log.read_all(0.5)] == read == expected
    log.close()
    assert [record.value for record in TopicHistory(kafka, topic).read()] == expected
    assert [message.value() for message in records_since(kafka, topic, 1)] == expected
