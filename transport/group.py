"""One member of a Kafka consumer group: what it reads, what it commits when, and where it begins again.

`auto.offset.reset` is `error`: a position that Kafka does not hold is never replaced in silence.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from transport import metrics
from transport.client_log import client_log
from transport.cluster import Bootstrap
from transport.damaged import Damaged
from transport.kafka import consumer_config
from transport.placing import begin_again

Partition = tuple[str, int]
Leaving = Callable[[frozenset[Partition], bool], None]
Arriving = Callable[[frozenset[Partition]], None]
Floor = Callable[[Partition], int | None]

COMMIT_EVERY_S = 0.25
COMPLAIN_EVERY_S = 10.0
ANSWER_S = 1.0
PLACE_EVERY_S = 1.0

_REFUSALS = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,
    }
)

_log = logging.getLogger(__name__)


class Progress(Protocol):
    """Which offsets may be committed."""

    def take_committable(self) -> dict[Partition, int]:
        """The next offset to read of each partition that moved on; each is handed out once."""

    def restore(self, positions: Mapping[Partition, int]) -> None:
        """Their commit failed: hand them out again, but for what was overtaken."""

    def forget(self, partitions: Iterable[Partition]) -> None:
        """These partitions are another's now."""


class GroupConsumer:
    """Reads one topic as a member of a group, and commits the progress made a few times a second.

    `leaving` is called on the thread that reads, before partitions go to another member, with them and
    whether they were lost already: it may wait a little for what is on its way. Then progress is committed
    once more, but none on partitions that were lost.

    With `arriving`, it is not Kafka that knows where to begin: partitions that come are named to it, and
    nothing is read from one before `begin` was called for it. They are named again if Kafka does not hold
    the place at which one was to begin.
    """

    def __init__(
        self,
        bootstrap: Bootstrap,
        group: str,
        topic: str,
        progress: Progress,
        leaving: Leaving,
        arriving: Arriving | None = None,
        floor: Floor = lambda _: None,
        **overrides: Any,
    ) -> None:
        """`floor` returns where to begin in a partition of which the group has no position.

        With None that is the first record.
        """
        self.topic = topic
        self._group = group
        self._floor = floor
        self._ends: dict[Partition, int] = {}
        # partitions that are not fetched, by the offset that Kafka does not hold; negative if there was none
        self._unplaced: dict[Partition, int] = {}
        self._place_at = 0.0
        self._refused = metrics.TOPIC_REFUSED.labels(topic, "read")
        self._is_refused = False
        self._progress = progress
        self._leaving = leaving
        self._arriving = arriving
        self._gone: set[Partition] = set()
        self._commit_at = 0.0
        self._complain_at = 0.0
        self._offsets_lost = metrics.OFFSETS_LOST.labels(group, topic)
        reset = {"auto.offset.reset": "error"}
        config = consumer_config(bootstrap, group, on_commit=self._on_commit, **reset, **overrides)
        self._consumer = Consumer(config, logger=client_log)
        placing: dict[str, Any] = {} if arriving is None else {"on_assign": self._on_assign}
        self._damaged = Damaged(self._consumer, group)
        self._consumer.subscribe([topic], on_revoke=self._on_revoke, on_lost=self._on_lost, **placing)

    def read(self, limit: int, timeout: float) -> list[Message]:
        """Up to `limit` records: waits up to `timeout` seconds for the first, and not at all for the others.

        Raises `KafkaException` if the client cannot go on.
        """
        if self._unplaced and self._arriving is None and time.monotonic() >= self._place_at:
            self._place()
        first = self._consumer.poll(timeout)
        if first is None:
            return []
        self._gone.clear()
        # consume() alone would wait until it has all of them or its time is up
        rest = self._consumer.consume(limit - 1, 0) if limit > 1 else []
        # it serves rebalances too: a record that was read before its partition went is its next reader's
        messages = rest if (first.topic(), first.partition()) in self._gone else [first, *rest]
        return [message for message in messages if self._is_record(message)]

    def stay(self) -> None:
        """Say that this member lives, reading nothing. Rebalances are served by `read` alone."""
        self._consumer.consume(0, 0)

    def go_back(self, partition: Partition, offset: int, why: object) -> None:
        """Read on from a record that was read just now, and cannot be worked on yet.

        Raises `KafkaException` if the client cannot: the caller must then end, or the record is lost.
        """
        self._complain(f"{partition[0]}[{partition[1]}] waits at {offset}: {why}")
        self._consumer.seek(TopicPartition(*partition, offset))

    def begin(self, partition: Partition, offset: int) -> None:
        """Read a partition from `offset` on, whatever was read of it before.

        Raises `KafkaException` if the client is not ready for it: ask again a little later.
        """
        place = TopicPartition(*partition, offset)
        self._ends.pop(partition, None)
        if self._unplaced.pop(partition, None) is None:
            self._consumer.seek(place)
        else:
            self._assign_again(place)
        self._consumer.resume([place])

    def hold(self, partitions: Iterable[Partition]) -> None:
        """Read nothing more of these until `begin` is called. Raises `KafkaException`."""
        self._consumer.pause([TopicPartition(*each) for each in partitions])

    def read_to_end(self, partition: Partition) -> int:
        """The end of a partition that was reached, all records below it having been handed out; -1 if none.

        Needs `enable.partition.eof`. The last offset may be a transaction's marker: no record reaches it.
        """
        return self._ends.get(partition, -1)

    def bounds(self, partition: Partition, timeout: float) -> tuple[int, int]:
        """The offsets of the oldest record that Kafka holds, and of the next to come.

        Asks Kafka, for up to `timeout` seconds. Raises `KafkaException`.
        """
        low, high = self._consumer.get_watermark_offsets(TopicPartition(*partition), timeout)
        return low, high

    def commit_when_due(self) -> None:
        """Commit the progress made, if the last commit was a while ago. Does not wait for the answer."""
        now = time.monotonic()
        if now < self._commit_at:
            return
        positions = self._progress.take_committable()
        if positions:
            self._commit_at = now + COMMIT_EVERY_S
            try:
                self._consumer.commit(offsets=_offsets(positions), asynchronous=True)
            except KafkaException as error:
                self._not_committed(positions, error)

    def close(self) -> None:
        """Leave the group, after `leaving` was asked about every partition."""
        self._consumer.close()

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        names = frozenset(map(_name, partitions))
        # a place that needs no answer of Kafka's: until it has one, a partition cannot be told to begin
        consumer.incremental_assign([TopicPartition(*name, OFFSET_BEGINNING) for name in sorted(names)])
        consumer.pause([TopicPartition(*name) for name in sorted(names)])
        if self._arriving is not None:
            self._arriving(names)

    def _on_commit(self, error: KafkaError | None, partitions: Iterable[TopicPartition]) -> None:
        # a topic that was deleted: its positions must not come back in another of its name
        gone = KafkaError.UNKNOWN_TOPIC_OR_PART
        failed = {
            _name(each): each.offset
            for each in partitions
            if (error or each.error) and not (each.error and each.error.code() == gone)
        }
        if failed:
            self._not_committed(failed, error or "refused")

    def _not_committed(self, positions: Mapping[Partition, int], error: object) -> None:
        self._progress.restore(positions)
        self._complain(f"commit failed: {error}")

    def _on_revoke(self, _consumer: Consumer, partitions: Iterable[TopicPartition]) -> None:
        names = frozenset(map(_name, partitions))
        self._gone |= names
        self._leaving(names, False)
        positions = self._progress.take_committable()
        if positions:
            try:
                self._consumer.commit(offsets=_offsets(positions), asynchronous=False)
            except KafkaException as error:
                self._not_committed(positions, error)
        self._forget(names)

    def _on_lost(self, _consumer: Consumer, partitions: Iterable[TopicPartition]) -> None:
        names = frozenset(map(_name, partitions))
        self._gone |= names
        _log.warning("%s: lost %d partitions to another member", self.topic, len(names))
        self._forget(names)
        self._leaving(names, True)

    def _forget(self, names: Iterable[Partition]) -> None:
        self._progress.forget(names)
        for name in sorted(names):
            self._ends.pop(name, None)
            self._unplaced.pop(name, None)

    def _is_record(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            if self._is_refused:
                self._end_of_refusal()
            return True
        if error.fatal():
            raise KafkaException(error)
        partition, offset = (message.topic() or "", message.partition() or 0), message.offset()
        if error.code() == KafkaError._PARTITION_EOF:
            self._ends[partition] = offset or 0
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:
            self._unplaced[partition] = -1 if offset is None else offset
            if self._arriving is not None:
                self._arriving(frozenset({partition}))
        elif not self._damaged.pass_over(message):
            if error.code() in _REFUSALS:
                self._is_refused = True
                self._refused.set(1)
            self._complain(f"{self._group} cannot read: {error}")
        return False

    def _end_of_refusal(self) -> None:
        self._is_refused = False
        self._refused.set(0)
        _log.warning("%s: %s reads again", self.topic, self._group)

    def _place(self) -> None:
        """Begin again in the partitions whose position Kafka does not hold, and count what was lost."""
        for partition, at in list(self._unplaced.items()):
            try:
                low, high = self.bounds(partition, ANSWER_S)
                committed = self._consumer.committed([TopicPartition(*partition)], ANSWER_S)[0].offset
                floor = self._floor(partition) if committed < 0 else None
                begin = begin_again(at, committed, floor, low, high)
                self.begin(partition, begin.offset)
                # so that the same loss is not found, and counted, once more after a restart
                place = TopicPartition(*partition, begin.offset)
                self._consumer.commit(offsets=[place], asynchronous=True)
            except KafkaException as error:
                self._place_at = time.monotonic() + PLACE_EVERY_S
                self._complain(f"{partition[0]}[{partition[1]}] waits for a place to begin: {error}")
                return
            self._offsets_lost.inc(begin.lost)
            level = logging.ERROR if begin.lost else logging.WARNING if begin.said else logging.INFO
            text = "%s: %s[%d] goes on at %d (Kafka holds %d to %d): %s"
            _log.log(level, text, self._group, *partition, begin.offset, low, high, begin.why)

    def _assign_again(self, place: TopicPartition) -> None:
        """A partition whose position was refused is not fetched, and so cannot be sought."""
        self._consumer.incremental_unassign([place])
        self._consumer.incremental_assign([place])

    def _complain(self, what: str) -> None:
        if time.monotonic() >= self._complain_at:
            self._complain_at = time.monotonic() + COMPLAIN_EVERY_S
            _log.warning("%s: %s", self.topic, what)


def _name(partition: TopicPartition) -> Partition:
    return partition.topic, partition.partition


def _offsets(positions: Mapping[Partition, int]) -> list[TopicPartition]:
    return [TopicPartition(topic, number, offset) for (topic, number), offset in positions.items()]
