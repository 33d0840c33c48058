"""A consumer that is a member of a group, in the place of confluent-kafka's. Who uses it is the real one."""

from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from tests.simulation.kafka import Group, Kafka
from tests.simulation.message import Message, Reset
from tests.simulation.world import Violation

SESSION = 150
"""After how many ms without a sign of life a group goes on without a member."""


class Consumer:
    """A member of one group on one topic."""

    def __init__(self, kafka: Kafka, config: dict[str, Any]) -> None:
        self.name: str = config["bootstrap.servers"]
        self.alive = True
        self._kafka = kafka
        self._world = kafka.world
        self._group_id: str = config["group.id"]
        self._on_commit: Callable[[KafkaError | None, list[TopicPartition]], None] = config["on_commit"]
        self._answers: list[tuple[KafkaError | None, list[TopicPartition]]] = []
        self._positions: dict[int, int | None] = {}
        self._asked: list[int] = []
        self._lost: list[int] = []
        self._unplaced: set[int] = set()
        self._group: Group
        self._on_revoke: Callable[[Consumer, list[TopicPartition]], None]
        self._on_lost: Callable[[Consumer, list[TopicPartition]], None]

    def subscribe(
        self,
        topics: Sequence[str],
        on_revoke: Callable[["Consumer", list[TopicPartition]], None],
        on_lost: Callable[["Consumer", list[TopicPartition]], None],
    ) -> None:
        """Join the group."""
        self._on_revoke, self._on_lost = on_revoke, on_lost
        self._group = self._kafka.group(self._group_id, topics[0])
        self._group.join(self)

    def poll(self, _timeout: float) -> Message | None:
        """One record, after the callbacks that were due."""
        self._serve()
        return next(iter(self._fetch(1)), None)

    def consume(self, limit: int, _timeout: float) -> list[Message]:
        """Up to `limit` records, after the callbacks that were due."""
        if limit:
            if self._world.chance("group rebalanced"):
                self._group.rebalance()
            self._serve()
        return self._fetch(limit)

    def commit(self, offsets: Sequence[TopicPartition], asynchronous: bool) -> None:
        """Write positions down. Whether that worked may be heard only much later."""
        for each in offsets:
            if each.partition not in self._positions:
                raise Violation(
                    f"who reads a partition commits it: {self.name} commits {each} after giving it up"
                )
        error = None
        if self._world.down("kafka") or self._group is None or self not in self._group.members:
            error = KafkaError(KafkaError._TIMED_OUT)
        elif self._world.chance("commit fails"):
            error = KafkaError(KafkaError.REQUEST_TIMED_OUT)
            if self._world.random.random() < 0.5:
                self._write_down(offsets)
        else:
            self._write_down(offsets)
        if asynchronous:
            self._answers.append((error, list(offsets)))
        elif error:
            raise KafkaException(error)

    def close(self) -> None:
        """Give everything back, and leave."""
        self._serve()
        if self._positions:
            self._on_revoke(self, self._named(list(self._positions)))
        self._positions.clear()
        self.alive = False
        self._group.expel(self)

    def die(self) -> None:
        """Its process is gone; the group hears of that later."""
        self.alive = False
        self._world.after(self._world.random.randrange(SESSION), lambda: self._group.expel(self))

    def fall_silent(self) -> None:
        """Its process stands still for longer than the group waits."""
        self._group.expel(self)

    @property
    def has_news(self) -> bool:
        """Whether a poll would find anything."""
        if self._lost or self._asked or self._answers or self not in self._group.members:
            return True
        if self._unplaced:
            return True
        logs = self._kafka.logs[self._group.topic]
        for partition, position in self._positions.items():
            if (self._start(partition) if position is None else position) < len(logs[partition]):
                return True
        return False

    def on_assigned(self, partition: int) -> None:
        """Read from the committed offset on, as it is at the first fetch."""
        self._positions[partition] = None

    def on_asked(self, partition: int) -> None:
        """To be given back at the next poll."""
        if partition not in self._asked:
            self._asked.append(partition)

    def on_expelled(self, partitions: Sequence[int]) -> None:
        """To be heard of at the next poll."""
        self._lost += partitions
        self._asked.clear()

    def _serve(self) -> None:
        if self._lost:
            lost, self._lost = self._lost, []
            for partition in lost:
                self._positions.pop(partition, None)
                self._unplaced.discard(partition)
            self._on_lost(self, self._named(lost))
        if self not in self._group.members and self.alive:
            self._group.join(self)
        if self._answers:
            self._world.activity += 1
        if self._answers and self._world.random.random() < 0.5:
            answers, self._answers = self._answers, []
            for error, offsets in answers:
                self._on_commit(error, offsets)
        if self._asked:
            asked, self._asked = self._asked, []
            self._on_revoke(self, self._named(asked))
            for partition in asked:
                self._positions.pop(partition, None)
                self._unplaced.discard(partition)
                self._group.release(self, partition)

    def _fetch(self, limit: int) -> list[Message]:
        if self._world.down("kafka"):
            return []
        topic, found = self._group.topic, list[Message]()
        for partition, position in self._positions.items():
            if limit <= 0:
                break
            if partition in self._unplaced:
                continue
            start = self._start(partition) if position is None else position
            log = self._kafka.logs[topic][partition]
            if start < self._kafka.begin(topic, partition):
                self._unplaced.add(partition)
                known = (self._group_id, topic, partition) in self._kafka.committed or position is not None
                found.append(Reset(topic, partition, start if known else -1_001))
                limit -= 1
                continue
            if start >= len(log):
                continue
            stop = min(len(log), start + self._world.random.randint(1, limit))
            found += [Message(topic, partition, offset, log[offset]) for offset in range(start, stop)]
            self._positions[partition] = stop
            limit -= stop - start
        self._world.activity += len(found)
        return found

    def get_watermark_offsets(self, place: TopicPartition, _timeout: float) -> tuple[int, int]:
        """The first offset that is still there, and the one above the last."""
        self._check()
        return self._kafka.begin(place.topic, place.partition), self._kafka.end(place.topic, place.partition)

    def committed(self, places: Sequence[TopicPartition], _timeout: float) -> list[TopicPartition]:
        """What the group committed; -1001 if nothing."""
        self._check()
        known = self._kafka.committed
        return [
            TopicPartition(
                each.topic, each.partition, known.get((self._group_id, each.topic, each.partition), -1_001)
            )
            for each in places
        ]

    def incremental_unassign(self, places: Sequence[TopicPartition]) -> None:
        """Read nothing of these."""

    def incremental_assign(self, places: Sequence[TopicPartition]) -> None:
        """Read these from their offsets on."""
        for each in places:
            self._unplaced.discard(each.partition)
            self._positions[each.partition] = each.offset

    def resume(self, places: Sequence[TopicPartition]) -> None:
        """None was paused."""

    def _check(self) -> None:
        if self._world.down("kafka"):
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    def _start(self, partition: int) -> int:
        return self._kafka.position(self._group_id, self._group.topic, partition)

    def _write_down(self, offsets: Sequence[TopicPartition]) -> None:
        for each in offsets:
            self._kafka.commit(self._group_id, each.topic, each.partition, each.offset)

    def _named(self, partitions: Sequence[int]) -> list[TopicPartition]:
        return [TopicPartition(self._group.topic, partition) for partition in partitions]
