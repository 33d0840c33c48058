"""What stands in the place of confluent-kafka's clients? Those who use them are the real ones."""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from tests.simulation.kafka import Group, Kafka, Record
from tests.simulation.world import Violation, World
from transport.kafka import Headers, Outgoing

SESSION = 150
"""After how many ms without a sign of life a group goes on without a member."""


class Message:
    """A record as a consumer hands it out."""

    __slots__ = ("_offset", "_partition", "_record", "_topic")

    def __init__(self, topic: str, partition: int, offset: int, record: Record) -> None:
        self._topic, self._partition, self._offset, self._record = topic, partition, offset, record

    def error(self) -> None:
        """None: it is a record."""

    def topic(self) -> str:
        """Where it stands."""
        return self._topic

    def partition(self) -> int:
        """Where it stands."""
        return self._partition

    def offset(self) -> int:
        """Where it stands."""
        return self._offset

    def key(self) -> bytes | None:
        """What decided on its partition."""
        return self._record.key

    def value(self) -> bytes | None:
        """What was written."""
        return self._record.value

    def headers(self) -> Headers:
        """What was written beside it."""
        return self._record.headers

    def timestamp(self) -> tuple[int, int]:
        """Its kind, and when it was written (epoch ms)."""
        return 1, self._record.timestamp


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
                self._group.release(self, partition)

    def _fetch(self, limit: int) -> list[Message]:
        if self._world.down("kafka"):
            return []
        topic, found = self._group.topic, []
        for partition, position in self._positions.items():
            if limit <= 0:
                break
            start = self._start(partition) if position is None else position
            log = self._kafka.logs[topic][partition]
            if start >= len(log):
                continue
            stop = min(len(log), start + self._world.random.randint(1, limit))
            found += [Message(topic, partition, offset, log[offset]) for offset in range(start, stop)]
            self._positions[partition] = stop
            limit -= stop - start
        self._world.activity += len(found)
        return found

    def _start(self, partition: int) -> int:
        return self._kafka.position(self._group_id, self._group.topic, partition)

    def _write_down(self, offsets: Sequence[TopicPartition]) -> None:
        for each in offsets:
            self._kafka.commit(self._group_id, each.topic, each.partition, each.offset)

    def _named(self, partitions: Sequence[int]) -> list[TopicPartition]:
        return [TopicPartition(self._group.topic, partition) for partition in partitions]


class Reader:
    """A consumer that chose its partitions itself: the reconciler's."""

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
        return 0, self._kafka.end(partition.topic, partition.partition)

    def offsets_for_times(
        self, partitions: Sequence[TopicPartition], _timeout: float
    ) -> list[TopicPartition]:
        """The first record that is not older than the time given in the offset's place; -1 where all are."""
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


Delivered = Callable[[KafkaError | None, Any], None]


class Producer:
    """Writes in order within a partition; an acknowledgement comes some polls after its write."""

    def __init__(self, kafka: Kafka, config: dict[str, Any]) -> None:
        self.name: str = config["bootstrap.servers"]
        self._kafka = kafka
        self._world: World = kafka.world
        self._pending: dict[str, deque[tuple[Outgoing, Delivered]]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._pending.values()))

    def produce(
        self, topic: str, value: bytes | None, key: bytes | None, on_delivery: Delivered, headers: Headers
    ) -> None:
        """Take a record over."""
        lane = self._pending.setdefault(topic, deque())
        lane.append((Outgoing(topic, value, key, tuple(headers)), on_delivery))

    def poll(self, timeout: float) -> None:
        """Let acknowledgements arrive. `timeout` (seconds) passes where none can."""
        if self._world.down("kafka"):
            self._world.advance(int(timeout * 1_000))
            return
        for waiting in self._pending.values():
            arrived = len(waiting) if timeout else self._world.random.randint(0, len(waiting))
            for _ in range(arrived):
                out, delivered = waiting.popleft()
                self._kafka.append(out)
                delivered(None, None)

    def die(self) -> None:
        """Its process is gone: a part of what was on its way arrives, and nobody hears of it."""
        for waiting in self._pending.values():
            for _ in range(self._world.random.randint(0, len(waiting))):
                self._kafka.append(waiting.popleft()[0])
        self._pending.clear()
