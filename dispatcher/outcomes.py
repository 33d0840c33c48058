"""What came out of which lane record, as the predictions and dead letters say."""

import logging
from collections.abc import Iterable

import msgspec
from confluent_kafka import Consumer, TopicPartition

from events.decision import Millis, Position
from events.topics import PREDICTIONS
from transport.client_log import client_log
from transport.clock import Clock, system_clock
from transport.cluster import Bootstrap
from transport.group import Partition
from transport.kafka import Headers, consumer_config, headers_of, position_of

BATCH = 5_000
TIMEOUT_S = 10.0

_log = logging.getLogger(__name__)


class _Settled(msgspec.Struct):
    """The one field of a prediction that matters here: all others are skipped unread."""

    lane: Position


_decode = msgspec.json.Decoder(_Settled).decode


def settled(topic: str, value: bytes | None, headers: Headers) -> Position | None:
    """The lane record that a prediction or a dead letter answers for; None where it names none."""
    try:
        if topic == PREDICTIONS:
            return _decode(value or b"").lane
        found = {name: text for name, text in headers if name.startswith("dlq.lane.")}
        lane = {name: (text or b"").decode() for name, text in found.items()}
        return Position(lane["dlq.lane.topic"], int(lane["dlq.lane.partition"]), int(lane["dlq.lane.offset"]))
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, ValueError):
        return None


class OutcomeReader:
    """Reads the outcome topics from a time on. It joins no group: every reconciler sees all of them."""

    def __init__(self, bootstrap: Bootstrap, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._consumer = Consumer(
            consumer_config(bootstrap, "signalbox.reconciler.outcomes"), logger=client_log
        )
        self._topics: set[str] = set()
        self._next: dict[Partition, int] = {}
        self._read_up_to: dict[Partition, Millis] = {}

    @property
    def read_up_to(self) -> Millis:
        """The time (epoch ms) up to which every outcome has been read, as far as `look` could tell."""
        return min(self._read_up_to.values(), default=0)

    def take_up(self, topics: Iterable[str], since: Millis) -> None:
        """Read these topics too, from `since` (epoch ms) on. Raises `KafkaException`."""
        new = [
            TopicPartition(topic, number, since)
            for topic in set(topics) - self._topics
            for number in self._consumer.list_topics(topic, TIMEOUT_S).topics[topic].partitions
        ]
        if not new:
            return
        # asked for before the times: what is written in between must not be skipped
        ends = [self._consumer.get_watermark_offsets(each, TIMEOUT_S)[1] for each in new]
        starts = self._consumer.offsets_for_times(new, TIMEOUT_S)
        for start, end in zip(starts, ends, strict=True):
            start.offset = end if start.offset < 0 else start.offset
            self._next[start.topic, start.partition] = start.offset
            self._read_up_to[start.topic, start.partition] = since
        self._consumer.incremental_assign(starts)
        self._topics.update(start.topic for start in starts)

    def read(self, timeout: float) -> list[Position]:
        """The lane records that were answered for since the last call."""
        first = self._consumer.poll(timeout)
        messages = () if first is None else (first, *self._consumer.consume(BATCH, 0))
        answered = []
        for message in messages:
            if message.error() is not None:
                _log.warning("outcomes: %s", message.error())
                continue
            at = position_of(message)
            self._next[at.topic, at.partition] = at.offset + 1
            self._read_up_to[at.topic, at.partition] = message.timestamp()[1]
            lane = settled(at.topic, message.value(), headers_of(message))
            if lane is not None:
                answered.append(lane)
        return answered

    def look(self) -> None:
        """See which partitions are read to their end. Raises `KafkaException`: then `read_up_to` stands."""
        for (topic, number), following in self._next.items():
            now = self._clock()
            end = self._consumer.get_watermark_offsets(TopicPartition(topic, number), TIMEOUT_S)[1]
            if following >= end:
                self._read_up_to[topic, number] = now

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()
