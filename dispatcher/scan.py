"""A full scan of a topic for the records that hold a text, each partition from a time on to its end."""

from collections.abc import Collection
from dataclasses import dataclass
from time import monotonic

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from events.decision import Millis
from transport.client_log import client_log
from transport.cluster import Bootstrap
from transport.damaged import Damaged
from transport.kafka import consumer_config, headers_or_fault

BATCH = 10_000
TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Scanned:
    """The records found in a topic, and whether it was read to its end."""

    topic: str
    messages: tuple[Message, ...]
    finished: bool


def scan(
    bootstrap: Bootstrap, topic: str, needles: Collection[bytes], since: Millis, deadline: float
) -> Scanned:
    """The records since `since` (epoch ms) with one of `needles` in a value or a header.

    `deadline` is a `time.monotonic`. Raises `KafkaException`.
    """
    config = consumer_config(bootstrap, "signalbox.where", **{"enable.partition.eof": True})
    consumer = Consumer(config, logger=client_log)
    try:
        starts = _starts(consumer, topic, since)
        consumer.assign(starts)
        found, damaged = list[Message](), Damaged(consumer, "signalbox.where")
        left = {start.partition for start in starts}
        while left and monotonic() < deadline:
            for message in consumer.consume(BATCH, 0.5):
                error = message.error()
                if error is None:
                    if _holds(message, needles):
                        found.append(message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    left.discard(message.partition() or 0)
                else:
                    damaged.pass_over(message)
        return Scanned(topic, tuple(found), not left)
    finally:
        consumer.close()


def _starts(consumer: Consumer, topic: str, since: Millis) -> list[TopicPartition]:
    numbers = consumer.list_topics(topic, TIMEOUT_S).topics[topic].partitions
    wanted = [TopicPartition(topic, number, since) for number in numbers]
    starts = consumer.offsets_for_times(wanted, TIMEOUT_S) if wanted else []
    return [start for start in starts if start.offset >= 0]


def _holds(message: Message, needles: Collection[bytes]) -> bool:
    value = message.value() or b""
    if any(needle in value for needle in needles):
        return True
    headers, _ = headers_or_fault(message)
    return any(needle in (text or b"") for _, text in headers or () for needle in needles)
