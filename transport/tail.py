"""Reads what came to a topic since a time, once, to where it ended when the reading began."""

import time
from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from events.decision import Millis
from events.errors import Unavailable
from transport.cluster import Bootstrap
from transport.damaged import Damaged
from transport.kafka import consumer_config

AT_ONCE = 1_000
STEP_S = 0.1
"""`consume` waits for all of `AT_ONCE`, or for so long."""
TIMEOUT_S = 10.0
AT_ITS_END = {"enable.partition.eof": True}
"""The last offset may be a transaction's marker, which no consumer is given: this event tells the end."""


def records_since(bootstrap: Bootstrap, topic: str, since: Millis) -> Iterator[Message]:
    """Every record with a timestamp from `since` (epoch ms) on.

    A topic that does not exist is empty. Joins no group. Raises `Unavailable`.
    """
    consumer = Consumer(consumer_config(bootstrap, "signalbox.tail", **AT_ITS_END))
    try:
        yield from _read(consumer, topic, since)
    except KafkaException as error:
        raise Unavailable("kafka", error) from error
    finally:
        consumer.close()


def _read(consumer: Consumer, topic: str, since: Millis) -> Iterator[Message]:
    known = consumer.list_topics(timeout=TIMEOUT_S).topics.get(topic)
    asked = [TopicPartition(topic, number, since) for number in (known.partitions if known else ())]
    ends = {at.partition: consumer.get_watermark_offsets(at, timeout=TIMEOUT_S)[1] for at in asked}
    # of a partition in which nothing came since, the offset is that of its end: -1
    begins = [at for at in consumer.offsets_for_times(asked, TIMEOUT_S) if at.offset >= 0] if asked else []
    behind = {at.partition for at in begins if at.offset < ends[at.partition]}
    consumer.assign([at for at in begins if at.partition in behind])
    damaged, deadline = Damaged(consumer, "signalbox.tail"), time.monotonic() + TIMEOUT_S
    while behind:
        for message in consumer.consume(AT_ONCE, STEP_S):
            deadline = time.monotonic() + TIMEOUT_S
            if damaged.pass_over(message):
                continue
            if ended(message, ends[message.partition() or 0]):
                behind.discard(message.partition() or 0)
            # an embedded broker's answer by time may lie further back
            if message.error() is None and message.timestamp()[1] >= since:
                yield message
        if time.monotonic() > deadline:
            raise Unavailable("kafka", f"{topic}: nothing was read for {TIMEOUT_S:.0f} s before its end")


def ended(message: Message, end: int) -> bool:
    """Whether a partition is read up to before offset `end`, seen what a consumer was given last.

    Needs a consumer with `AT_ITS_END`. Raises `KafkaException` for any other error.
    """
    error, offset = message.error(), message.offset() or 0
    if error is None:
        return offset + 1 >= end
    if error.code() == KafkaError._PARTITION_EOF:
        return True
    raise KafkaException(error)
