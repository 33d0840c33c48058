"""Kafka clients with the settings that were measured."""

from collections.abc import Sequence
from operator import methodcaller
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from events.decision import EARLIEST, Millis, Position
from events.errors import DeadLetter
from transport.cluster import Bootstrap, client_properties

Headers = Sequence[tuple[str, bytes | None]]
MAX_RECORD_BYTES = 4_000_000
AHEAD_MS = 60_000
"""How far the clock of Kafka or of a producer may be ahead of this one."""

SELDOM = {"fetch.wait.max.ms": 500, "fetch.min.bytes": 1_000_000}
"""For a consumer without a deadline: it fetches twice a second.

Each fetch costs an embedded broker a look at every batch of a partition, 3 us apiece.
"""


class Outgoing(NamedTuple):
    """A record to write. Its key decides on the partition."""

    topic: str
    value: bytes | None
    key: bytes | None = None
    headers: Headers = ()


def consumer_config(bootstrap: Bootstrap, group: str, **overrides: Any) -> dict[str, Any]:
    """Settings of a consumer that commits only on request, and begins at the start of its topic."""
    return {
        "group.id": group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        "partition.assignment.strategy": "cooperative-sticky",
        # an embedded broker holds a join for half of this: docs/decisions/0003
        "session.timeout.ms": 6_000,
        "heartbeat.interval.ms": 1_000,
        "max.poll.interval.ms": 300_000,
        # an embedded broker answers an empty fetch only when its wait is over: 100 ms cost 34 ms at the
        # median of each hop, 20 ms cost 4
        "fetch.wait.max.ms": 20,
        "fetch.error.backoff.ms": 50,
        # bounds what an unpolled lane holds in memory
        "queued.max.messages.kbytes": 16_384,
        # how long a partition is not fetched once that bound is reached: a second by default, which each
        # record of more than 16 MB, and each read faster than it is handled, would wait for
        "fetch.queue.backoff.ms": 20,
        # librdkafka inflates zstd up to this, 100 MB by default, and a larger batch blocks its partition
        "receive.message.max.bytes": 256_000_000,
        "topic.metadata.refresh.interval.ms": 10_000,
        **client_properties(bootstrap),
        **overrides,
    }


def producer_config(bootstrap: Bootstrap, **overrides: Any) -> dict[str, Any]:
    """Settings of an idempotent producer whose partitions agree with the Java client's."""
    return {
        "enable.idempotence": True,
        "acks": "all",
        "partitioner": "murmur2_random",
        "linger.ms": 1,
        "message.max.bytes": MAX_RECORD_BYTES,
        "compression.type": "lz4",
        **client_properties(bootstrap),
        **overrides,
    }


def admin_client(bootstrap: Bootstrap, **overrides: Any) -> AdminClient:
    """A client that makes and describes topics and groups."""
    return AdminClient({**client_properties(bootstrap), **overrides})


def position_of(message: Message) -> Position:
    """Where a record that was read stands."""
    return Position(message.topic() or "", message.partition() or 0, message.offset() or 0)


# Not `message.headers()`: a call site that CPython has specialized does not look at the error that the client
# leaves behind beside a broken list, and the error comes up somewhere else.
_read_headers = methodcaller("headers")
_UNREADABLE: list[tuple[str, str | bytes | None]] = []


def headers_of(message: Message) -> Headers:
    """A record's headers; empty if it has none.

    Raises `DeadLetter` (undecodable) if a header's name is not UTF-8, which Kafka allows: the client can give
    none of them then.
    """
    try:
        headers: Headers | None = _read_headers(message)
    except SystemError as error:
        # a second call would return a list with holes in it, and end the process
        message.set_headers(_UNREADABLE)
        raise _unreadable(error.__cause__) from error
    if headers is _UNREADABLE:  # this very list, not one like it
        raise _unreadable(None)
    return headers or ()


def _unreadable(cause: BaseException | None) -> DeadLetter:
    name = f" {cause.object[:64]!r}" if isinstance(cause, UnicodeDecodeError) else ""
    return DeadLetter("undecodable", f"the record has a header whose name{name} is not UTF-8")


def headers_or_fault(message: Message) -> tuple[Headers | None, DeadLetter | None]:
    """A record's headers, or why they cannot be read."""
    try:
        return headers_of(message), None
    except DeadLetter as fault:
        return None, fault


def written_at(message: Message, now: Millis) -> Millis | None:
    """When a record was written (epoch ms), at most `now`; None if it has a time that cannot be."""
    time: Millis = message.timestamp()[1]
    return min(time, now) if EARLIEST <= time <= now + AHEAD_MS else None


def entered_at(message: Message, now: Millis) -> Millis:
    """When a record came to Kafka (epoch ms), as far as its timestamp can be believed; else `now`.

    In a topic with `CreateTime` a producer writes what it likes: none, seconds, microseconds, the future.
    """
    timestamp: Millis = message.timestamp()[1]
    return timestamp if EARLIEST <= timestamp <= now else now


def connect_consumer(bootstrap: Bootstrap, group: str, **overrides: Any) -> Consumer:
    """A consumer. Create it after the fork."""
    return Consumer(consumer_config(bootstrap, group, **overrides))


def holds(bootstrap: Bootstrap, partition: tuple[str, int], offset: int, timeout: float) -> bool:
    """Whether a partition reaches beyond this offset, found by reading it within `timeout` seconds.

    An offset without a record, a transaction's marker or one that was compacted away, is there all the same.
    """
    settings = {"auto.offset.reset": "error", "enable.partition.eof": True}
    consumer = connect_consumer(bootstrap, "signalbox.probe", **settings)
    try:
        consumer.assign([TopicPartition(*partition, offset)])
        message = consumer.poll(timeout)
        if message is None:
            return False
        error, reached = message.error(), message.offset() or 0
        if error is None:
            return reached >= offset
        return error.code() == KafkaError._PARTITION_EOF and reached > offset
    finally:
        consumer.close()
