"""The source topic as one member of the pipeline's group reads it: by partition, from a given offset."""

from collections import defaultdict
from collections.abc import Callable, Collection
from typing import Any

from confluent_kafka import Message

from events.decision import Millis
from features.pipeline.placing import Beginning, beginning
from features.pipeline.reading import Record
from features.pipeline.standing import Standing
from transport.clock import Clock
from transport.cluster import Bootstrap
from transport.group import GroupConsumer, Partition
from transport.kafka import entered_at, headers_or_fault, holds

ANSWER_S = 1.0
"""How long Kafka is waited for when it is asked what a partition holds."""
LEISURELY: dict[str, Any] = {"fetch.wait.max.ms": 50, "enable.partition.eof": True}
"""No order waits for its own features; and the more an embedded broker holds, the more a fetch costs it."""


class SourceTopic:
    """Reads nothing of a partition before it is given an offset. Every method raises `KafkaException`."""

    def __init__(
        self,
        bootstrap: Bootstrap,
        group: str,
        topic: str,
        standing: Standing,
        leaving: Callable[[frozenset[Partition]], None],
        clock: Clock,
    ) -> None:
        """`standing` is called with the partitions that come and go; `leaving` with those that go."""
        self.topic = topic
        self._bootstrap = bootstrap
        self._clock = clock
        self._consumer = GroupConsumer(
            bootstrap,
            group,
            topic,
            standing,
            lambda partitions, _lost: leaving(partitions),
            standing.arrive,
            **LEISURELY,
        )
        self.stay = self._consumer.stay
        self.commit_when_due = self._consumer.commit_when_due
        self.close = self._consumer.close

    def read(self, limit: int, timeout: float) -> dict[Partition, list[Record]]:
        """Up to `limit` records. Waits up to `timeout` seconds for the first, and for no other."""
        records: dict[Partition, list[Record]] = defaultdict(list)
        messages = self._consumer.read(limit, timeout)
        now = self._clock()
        for message in messages:
            records[message.topic() or "", message.partition() or 0].append(record_of(message, now))
        return records

    def begin(self, partition: Partition, counted: int | None) -> Beginning:
        """Read a partition on from where it was counted, None if it never was; and where that is.

        Raises `ReplacedLogError`.
        """
        low, high = self._consumer.bounds(partition, ANSWER_S)
        if counted and counted > high and holds(self._bootstrap, partition, counted - 1, ANSWER_S):
            # an embedded broker's answer lags behind what it holds: docs/decisions/0003
            high = counted
        begin = beginning(partition, counted, low, high)
        self._consumer.begin(partition, begin.offset)
        return begin

    def drop(self, partitions: Collection[Partition]) -> None:
        """Read nothing more of these until they begin again."""
        self._consumer.hold(partitions)

    def end(self, partition: Partition) -> int:
        """The offset of the next record to come."""
        return self._consumer.bounds(partition, ANSWER_S)[1]

    def read_to_end(self, partition: Partition) -> int:
        """The end that was reached by reading, markers of transactions passed over; -1 if none was."""
        return self._consumer.read_to_end(partition)


def record_of(message: Message, now: Millis) -> Record:
    """A message as a record that was read at `now`."""
    headers, fault = headers_or_fault(message)
    return Record(message.offset() or 0, entered_at(message, now), message.value(), headers, fault)
