"""Reads the topics that the balance is made of, from their beginning, and hands each record to the ledger."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from events.deadletter import DeadLetterHeaders
from events.decision import Millis, Position, dead_letter_topic, lane_topic, overflow_topic
from events.errors import Unavailable
from events.priority import Priority
from events.topics import DEAD_LETTERS, EVENTS, PREDICTIONS, UNROUTED
from monitoring.held import Held
from monitoring.ledger import Ledger, SourceRecord
from transport.clock import system_clock
from transport.cluster import Bootstrap
from transport.damaged import Damaged
from transport.kafka import (
    SELDOM,
    consumer_config,
    entered_at,
    headers_of,
    headers_or_fault,
    position_of,
)

QUIET_S = 2.0
"""So long after the last record at its end a topic counts as read: an embedded broker's watermark may lag."""
PATIENCE_S = 60.0
"""A partition that has not come to its end after so long without a record is not empty: Kafka is away."""

LEADER_S = 10.0
"""How long a partition may have no leader: one that was just made, or whose broker is restarted."""

_STEP_S = 0.1
_MOVING = frozenset({KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE})

UNROUTED_PREFIX = "unrouted.original."


class _Named(msgspec.Struct):
    """What is read of a prediction; all else is skipped undecoded."""

    prediction_id: str
    lane: Position
    source: Position


class _Decided(msgspec.Struct):
    prediction_id: str
    source: Position
    table_hash: str


class _Waiting(msgspec.Struct):
    """What is read of a lane record."""

    decision: _Decided


_decode_named = msgspec.json.Decoder(_Named).decode
_decode_waiting = msgspec.json.Decoder(_Waiting).decode
_PRIORITIES = frozenset(priority.value for priority in Priority)


def balance_topics(queues: Iterable[str], existing: Collection[str] = ()) -> tuple[str, ...]:
    """The topics that hold what was decided and what came out.

    Of `existing`, also the lanes and dead letters of queues that the catalogue no longer knows.
    """
    known = set(queues)
    for topic in existing:
        queue, _, priority = topic.removesuffix(overflow_topic("")).rpartition(".")
        if priority in _PRIORITIES and dead_letter_topic(queue) in existing:
            known.add(queue)
    lanes = [lane_topic(queue, priority) for queue in sorted(known) for priority in Priority]
    dead = [dead_letter_topic(queue) for queue in sorted(known)]
    return (EVENTS, DEAD_LETTERS, UNROUTED, PREDICTIONS, *lanes, *map(overflow_topic, lanes), *dead)


class LogReader:
    """Reads topics as they grow, each record once, without joining a group.

    A topic that does not exist is empty. With `newest`, no more than so many of each partition, those before
    its end.
    """

    def __init__(self, bootstrap: Bootstrap, topics: Iterable[str], newest: int | None = None) -> None:
        # whatever fails is raised: librdkafka would print twenty lines a second of it besides
        quiet = {"enable.partition.eof": True, "log_level": 0}
        self._consumer = Consumer(consumer_config(bootstrap, "signalbox.balance", **SELDOM, **quiet))
        self._damaged = Damaged(self._consumer, "signalbox.balance")
        try:
            known = self._consumer.list_topics(timeout=10).topics
        except KafkaException as error:
            raise Unavailable("kafka", error) from error
        self._partitions = [
            (name, number) for name in topics if name in known for number in known[name].partitions
        ]
        self._ends = {partition: self._end(*partition) for partition in self._partitions}
        self._behind = set(self._partitions)
        self._first_at: dict[tuple[str, int], Millis] = {}
        # what is no longer there is passed over: a partition is then read from its beginning
        self._consumer.assign(
            [
                TopicPartition(*partition, 0 if newest is None else max(0, self._ends[partition] - newest))
                for partition in self._partitions
            ]
        )

    def caught_up(self, topic: str) -> bool:
        """Whether each of a topic's partitions was read as far as it reached when the reading began."""
        return all(name != topic for name, _ in self._behind)

    def read(self, seconds: float) -> Iterator[Message]:
        """What arrives within `seconds`. Raises `Unavailable` if Kafka answers with an error."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            for message in self._consumer.consume(1_000, min(left, _STEP_S)):
                partition, offset = (message.topic() or "", message.partition() or 0), message.offset() or 0
                if (error := message.error()) is None:
                    self._first_at.setdefault(partition, message.timestamp()[1])
                    if offset + 1 >= self._ends[partition]:
                        self._behind.discard(partition)
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:  # the last offset may be no record
                    self._behind.discard(partition)
                elif not self._damaged.pass_over(message):
                    raise Unavailable("kafka", error)

    def read_all(self, quiet: float = QUIET_S) -> Iterator[Message]:
        """What there is, until nothing came for `quiet` seconds after the end of each partition.

        Raises `Unavailable`, also if a partition does not come to its end.
        """
        last = time.monotonic()
        while time.monotonic() < last + (PATIENCE_S if self._behind else quiet):
            waited = bool(self._behind)
            for message in self.read(_STEP_S):
                last = time.monotonic()
                yield message
            if waited and not self._behind:
                last = time.monotonic()
        if self._behind:
            topic, number = min(self._behind)
            raise Unavailable("kafka", f"{topic}[{number}] was not read to its end in {PATIENCE_S:.0f} s")

    def read_up_to_now(self, topic: str, quiet: float = QUIET_S) -> Iterator[Message]:
        """As `read_all`, and no further than `caught_up`: it ends while records keep coming.

        Close the reader then: some of what came after may be lost to it.
        """
        for message in self.read_all(quiet):
            yield message
            if self.caught_up(topic):
                return

    def held(self) -> Held:
        """What Kafka still holds now of what was read from its beginning. Raises `Unavailable`."""
        return Held({each: self._bounds(*each)[0] for each in self._partitions}, dict(self._first_at))

    def _end(self, topic: str, number: int) -> int:
        return self._bounds(topic, number)[1]

    def _bounds(self, topic: str, number: int) -> tuple[int, int]:
        deadline = time.monotonic() + LEADER_S
        while True:
            try:
                return self._consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)
            except KafkaException as error:
                if error.args[0].code() not in _MOVING or time.monotonic() > deadline:
                    raise Unavailable("kafka", error) from error
                time.sleep(_STEP_S)

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()


def take(ledger: Ledger, message: Message) -> None:
    """Enter one record into the ledger, by the topic that it is in."""
    topic = message.topic() or ""
    handlers: dict[str, Callable[[Ledger, Message], None]] = {
        EVENTS: _take_source,
        PREDICTIONS: _take_prediction,
        UNROUTED: _take_unrouted,
    }
    otherwise = _take_dead_letter if topic.endswith(dead_letter_topic("")) else _take_lane_record
    try:
        handlers.get(topic, otherwise)(ledger, message)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - the net: a stranger's record must not end the reading of all others
        ledger.on_unreadable(position_of(message), f"{type(error).__name__}: {error}")


def _take_source(ledger: Ledger, message: Message) -> None:
    headers, fault = headers_or_fault(message)
    entered = entered_at(message, system_clock())
    ledger.on_source(SourceRecord(position_of(message), entered, message.value(), headers, fault))


def _take_lane_record(ledger: Ledger, message: Message) -> None:
    at = position_of(message)
    try:
        decision = _decode_waiting(message.value() or b"").decision
        written_at = entered_at(message, system_clock())
        ledger.on_lane(at, decision.prediction_id, decision.source, decision.table_hash, written_at)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        ledger.on_foreign_lane_record(at)
        raise


def _take_prediction(ledger: Ledger, message: Message) -> None:
    named = _decode_named(message.value() or b"")
    ledger.on_prediction(named.prediction_id, named.lane, named.source)


def _take_dead_letter(ledger: Ledger, message: Message) -> None:
    letter = DeadLetterHeaders.parse(headers_of(message))
    if message.topic() == DEAD_LETTERS:
        ledger.on_refusal(letter.original, letter.cause, letter.table_hash)
    elif letter.lane is not None:
        ledger.on_dead_letter(letter.prediction_id, letter.cause, letter.lane, letter.original)


def _take_unrouted(ledger: Ledger, message: Message) -> None:
    headers = dict(headers_of(message))
    topic, partition, offset = (
        (headers[UNROUTED_PREFIX + name] or b"").decode() for name in ("topic", "partition", "offset")
    )
    table = headers.get("unrouted.table_hash")
    at = Position(topic, int(partition), int(offset))
    ledger.on_unrouted(at, table.decode() if table is not None else None)
