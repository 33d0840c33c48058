"""A consumer on its own, in the place of confluent-kafka's: the reconciler's."""

from bisect import bisect_left
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from tests.simulation.kafka import Kafka
from tests.simulation.message import Message


class Reader:
    """Chose its partitions itself."""

    def __init__(self, kafka: Kafka, config: dict[str, Any]) -> None:
        self._kafka = kafka
        self._world = kafka.world
        self._group_id: str = config["group.id"]
        self._positions: dict[tuple[str, int], int] = {}

    @property
    def has_news(self) -> bool:
        """Whether a poll would find anything."""
        logs = self._kafka.logs
        for (topic, partition), position in self._positions.items():
            if position < len(logs[topic][partition]):
                return True
        return False

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read these, and nothing else."""
        # sorted, for they may come out of a set, and a seed must play the same schedule in every process
        self._positions = dict(sorted(((each.topic, each.partition), each.offset) for each in partitions))

    def incremental_assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read these too."""
        self.assign([*partitions, *(TopicPartition(*place, at) for place, at in self._positions.items())])

    def unassign(self) -> None:
        """Read nothing."""
        self._positions.clear()

    def poll(self, timeout: float) -> Message | None:
        """One record."""
        return next(iter(self.consume(1, timeout)), None)

    def consume(self, limit: int, timeout: float) -> list[Message]:
        """Up to `limit` records. `timeout` (seconds) passes where there is none."""
        found: list[Message] = []
        if not self._world.down("kafka"):
            for (topic, partition), position in self._positions.items():
                log = self._kafka.logs[topic][partition]
                position = max(position, self._kafka.begin(topic, partition))
                if limit > 0 and position < len(log):
                    stop = min(len(log), position + self._world.random.randint(1, limit))
                    found += [
                        Message(topic, partition, offset, log[offset]) for offset in range(position, stop)
                    ]
                    self._positions[topic, partition] = stop
                    limit -= stop - position
        if not found:
            self._world.advance(int(timeout * 1_000))
        self._world.activity += len(found)
        return found

    def list_topics(self, topic: str, _timeout: float) -> Any:
        """A topic's partitions."""
        self._check()
        partitions = dict.fromkeys(range(len(self._kafka.logs[topic])))
        return SimpleNamespace(topics={topic: SimpleNamespace(partitions=partitions)})

    def get_watermark_offsets(self, partition: TopicPartition, _timeout: float) -> tuple[int, int]:
        """The first offset, and the one above the last."""
        self._check()
        topic, number = partition.topic, partition.partition
        return self._kafka.begin(topic, number), self._kafka.end(topic, number)

    def offsets_for_times(
        self, partitions: Sequence[TopicPartition], _timeout: float
    ) -> list[TopicPartition]:
        """The first record that is not older than the time given in the offset's place; -1 if all are."""
        self._check()
        answers = []
        for each in partitions:
            log = self._kafka.logs[each.topic][each.partition]
            found = bisect_left(log, each.offset, key=lambda record: record.timestamp)
            answers.append(TopicPartition(each.topic, each.partition, found if found < len(log) else -1))
        return answers

    def committed(self, partitions: Sequence[TopicPartition], _timeout: float) -> list[TopicPartition]:
        """What the group committed; -1001 where nothing."""
        self._check()
        known = self._kafka.committed
        return [
            TopicPartition(
                each.topic, each.partition, known.get((self._group_id, each.topic, each.partition), -1001)
            )
            for each in partitions
        ]

    def commit(self, offsets: Sequence[TopicPartition], asynchronous: bool) -> None:
        """Write positions down."""
        self._check()
        if self._world.chance("commit fails"):
            raise KafkaException(KafkaError(KafkaError.REQUEST_TIMED_OUT))
        for each in offsets:
            self._kafka.commit(self._group_id, each.topic, each.partition, each.offset)

    def close(self) -> None:
        """Nothing is open."""

    def _check(self) -> None:
        if self._world.down("kafka"):
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
