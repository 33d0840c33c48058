"""What came out of which lane record, as the predictions and dead letters say."""

import logging
from collections.abc import Iterable

import msgspec
from confluent_kafka import Consumer, KafkaError, TopicPartition

from events.decision import Millis, Position
from events.topics import PREDICTIONS
from transport.client_log import client_log
from transport.clock import Clock, system_clock
from transport.cluster import Bootstrap
from transport.damaged import Damaged
from transport.group import Partition
from transport.kafka import Headers, consumer_config, headers_or_fault, position_of, written_at

BATCH = 5_000
TIMEOUT_S = 10.0
POSITIONS = {"enable.partition.eof": True, "auto.offset.reset": "error"}

_log = logging.getLogger(__name__)


class _Settled(msgspec.Struct):
    """The one field of a prediction that matters here: all others are skipped unread."""

    lane: Position


_decode = msgspec.json.Decoder(_Settled).decode


def settled(topic: str, value: bytes | None, headers: Headers) -> Position | None:
    """The lane record that a prediction or a dead letter answers for; None if it names none."""
    try:
        if topic == PREDICTIONS:
            return _decode(value or b"").lane
        found = {name: text for name, text in headers if name.startswith("dlq.lane.")}
        lane = {name: (text or b"").decode() for name, text in found.items()}
        return Position(lane["dlq.lane.topic"], int(lane["dlq.lane.partition"]), int(lane["dlq.lane.offset"]))
    except (msgspec.MsgspecError, KeyError, ValueError, RecursionError):
        return None


class OutcomeReader:
    """Reads the outcome topics from a time on. It joins no group: every reconciler sees all of them."""

    def __init__(self, bootstrap: Bootstrap, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._consumer = Consumer(
            consumer_config(bootstrap, "signalbox.reconciler.outcomes", **POSITIONS), logger=client_log
        )
        self._damaged = Damaged(self._consumer, "signalbox.reconciler.outcomes")
        self._topics: set[str] = set()
        self._next: dict[Partition, int] = {}
        self._read_up_to: dict[Partition, Millis] = {}
        self._unplaced: set[Partition] = set()

    @property
    def read_up_to(self) -> Millis:
        """The time (epoch ms) up to which every outcome has been read, as far as `look` could tell."""
        return min(self._read_up_to.values(), default=0)

    def take_up(self, topics: Iterable[str], since: Millis) -> None:
        """Read these topics too, from `since` (epoch ms) on. Raises `KafkaException`."""
        # a stranger's record may have any time, and Kafka is asked for none that is negative
        since = max(since, 0)
        new = [
            TopicPartition(topic, number, since)
            for topic in sorted(set(topics) - self._topics)
            for number in self._numbers(topic)
        ]
        if not new:
            return
        # asked for before the times: what is written in between must not be skipped
        ends = [self._consumer.get_watermark_offsets(each, TIMEOUT_S)[1] for each in new]
        starts = self._consumer.offsets_for_times(new, TIMEOUT_S)
        for start, end in zip(starts, ends, strict=True):
            start.offset = end if start.offset < 0 else start.offset
        self._begin(starts, since)
        self._topics.update(start.topic for start in starts)

    def grow(self) -> None:
        """Read the partitions too that the topics have got since, from their beginning.

        Raises `KafkaException`.
        """
        new = [
            TopicPartition(topic, number)
            for topic in sorted(self._topics)
            for number in self._numbers(topic)
            if (topic, number) not in self._next
        ]
        for each in new:
            each.offset = self._consumer.get_watermark_offsets(each, TIMEOUT_S)[0]
            _log.info("outcomes: %s[%d] is new, read from %d", each.topic, each.partition, each.offset)
        if new:
            self._begin(new, 0)

    def _numbers(self, topic: str) -> list[int]:
        return list(self._consumer.list_topics(topic, TIMEOUT_S).topics[topic].partitions)

    def _begin(self, starts: list[TopicPartition], read_up_to: Millis) -> None:
        self._consumer.incremental_assign(starts)
        for start in starts:
            self._next[start.topic, start.partition] = start.offset
            self._read_up_to[start.topic, start.partition] = read_up_to

    def read(self, timeout: float) -> list[Position]:
        """The lane records that were answered for since the last call."""
        first = self._consumer.poll(timeout)
        messages = () if first is None else (first, *self._consumer.consume(BATCH, 0))
        answered, now = [], self._clock()
        for message in messages:
            at = position_of(message)
            if (error := message.error()) is not None:
                if not self._damaged.pass_over(message):
                    self._on_error(at, error)
                continue
            self._next[at.topic, at.partition] = at.offset + 1
            # whatever a stranger's clock says, nothing is read before it came
            if (written := written_at(message, now)) is not None:
                self._read_up_to[at.topic, at.partition] = written
            lane = settled(at.topic, message.value(), headers_or_fault(message)[0] or ())
            if lane is not None:
                answered.append(lane)
        return answered

    def _on_error(self, at: Position, error: KafkaError) -> None:
        if error.code() == KafkaError._PARTITION_EOF:
            # the last offset may be a transaction's marker, which no consumer is given
            self._next[at.topic, at.partition] = at.offset
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:
            self._unplaced.add((at.topic, at.partition))
            _log.error("outcomes: %s[%d]: %s; it is read from its beginning", at.topic, at.partition, error)
        else:
            _log.warning("outcomes: %s", error)

    def _place(self) -> None:
        """Read the partitions from their beginning whose position Kafka does not hold: outcomes are a set."""
        for topic, number in sorted(self._unplaced):
            place = TopicPartition(topic, number)
            place.offset = self._consumer.get_watermark_offsets(place, TIMEOUT_S)[0]
            self._consumer.incremental_unassign([place])
            self._begin([place], 0)
            self._unplaced.discard((topic, number))

    def look(self) -> None:
        """See which partitions are read to their end. Raises `KafkaException`: then `read_up_to` stands."""
        self._place()
        for (topic, number), following in self._next.items():
            now = self._clock()
            end = self._consumer.get_watermark_offsets(TopicPartition(topic, number), TIMEOUT_S)[1]
            if following >= end:
                self._read_up_to[topic, number] = now

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()
