"""What stands at given offsets of a lane, and how far its feeder came: the reconciler's view of the lanes."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from time import monotonic

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from dispatcher.lane_reader import RECONCILER_GROUP, feeder_group
from events.decision import Millis
from transport.client_log import client_log
from transport.cluster import Bootstrap
from transport.damaged import Damaged
from transport.group import Partition
from transport.kafka import consumer_config, written_at

TIMEOUT_S = 5.0
# a record further ahead than this is sought instead of read up to
SEEK_BEYOND = 500


class LaneAccess:
    """Reads single records of lanes, and keeps the reconciler's place in each.

    The places are committed without being a member of the group: its lag is what has no outcome yet. Every
    method raises `KafkaException`.
    """

    def __init__(self, bootstrap: Bootstrap) -> None:
        # a short wait at the broker, for what is read here is there already
        self._consumer = Consumer(
            consumer_config(
                bootstrap, RECONCILER_GROUP, **{"fetch.wait.max.ms": 10, "enable.partition.eof": True}
            ),
            logger=client_log,
        )
        self._bootstrap = bootstrap
        self._feeders: dict[str, Consumer] = {}

    def numbers(self, topic: str) -> list[int]:
        """The partitions that a topic has now; none if it does not exist."""
        return list(self._consumer.list_topics(topic, TIMEOUT_S).topics[topic].partitions)

    def places(self, topic: str, numbers: Iterable[int]) -> dict[Partition, int | None]:
        """What was committed of these partitions; None if nothing is, or not any more."""
        committed = self._consumer.committed([TopicPartition(topic, number) for number in numbers], TIMEOUT_S)
        return {
            (topic, each.partition): each.offset if each.offset >= 0 else None for each in committed or ()
        }

    def first(self, topic: str, number: int) -> int:
        """The offset of the oldest record that Kafka still holds."""
        return self.bounds((topic, number))[0]

    def bounds(self, partition: Partition) -> tuple[int, int]:
        """The offsets of the oldest record that Kafka holds, and of the next to come."""
        low, high = self._consumer.get_watermark_offsets(TopicPartition(*partition), TIMEOUT_S)
        return low, high

    def at(self, partition: Partition, time: Millis) -> int:
        """The first offset with a timestamp from `time` (epoch ms) on; the end if there is none."""
        found = self._consumer.offsets_for_times([TopicPartition(*partition, time)], TIMEOUT_S)[0].offset
        return found if found >= 0 else self.bounds(partition)[1]

    def commit(self, places: Mapping[Partition, int]) -> None:
        """Keep these places."""
        offsets = [TopicPartition(topic, number, offset) for (topic, number), offset in places.items()]
        self._consumer.commit(offsets=offsets, asynchronous=False)

    def fed(self, topic: str, numbers: Iterable[int]) -> dict[Partition, int]:
        """What the lane's feeder has committed: everything below went to the workers."""
        asked = [TopicPartition(topic, number) for number in numbers]
        answer = self._feeder(topic).committed(asked, TIMEOUT_S)
        return {(topic, each.partition): each.offset for each in answer if each.offset >= 0}

    def feeder_places(self, topic: str) -> dict[Partition, int]:
        """The next record that the lane's feeder reads, in each partition, whether it has begun or not."""
        numbers = self.numbers(topic)
        fed = self.fed(topic, numbers)
        return {(topic, number): fed.get((topic, number), self.first(topic, number)) for number in numbers}

    def oldest(self, places: Mapping[Partition, int], now: Millis) -> Millis:
        """When (epoch ms) the oldest of the records at these places was written.

        0 if that is not known of one: it was not read within two seconds, or has a time that cannot be.
        """
        times: dict[Partition, Millis] = {}
        for partition, message in self._records(places):
            if partition not in times:
                times[partition] = written_at(message, now) or 0
            if len(times) == len(places):
                return min(times.values())
        return 0

    def timestamps(self, places: Mapping[Partition, int], now: Millis) -> dict[Partition, Millis]:
        """The time (epoch ms) of each partition's first record from its place on that can be believed.

        Records whose time cannot are passed over. A partition without another within two seconds is left out.
        """
        times: dict[Partition, Millis] = {}
        for partition, message in self._records(places):
            if (time := written_at(message, now)) is not None:
                times.setdefault(partition, time)
            if len(times) == len(places):
                break
        return times

    def _records(
        self, places: Mapping[Partition, int], seconds: float = 2.0
    ) -> Iterator[tuple[Partition, Message]]:
        """What comes from these places on within `seconds`."""
        if not places:
            return
        self._assign(places)
        until = monotonic() + seconds
        try:
            while monotonic() < until:
                for message in self._consumer.consume(100, 0.1):
                    if message.error() is None:
                        yield (message.topic() or "", message.partition() or 0), message
        finally:
            self._consumer.unassign()

    def fetch(
        self, partition: Partition, offsets: Sequence[int], seconds: float = 5.0
    ) -> tuple[list[Message], list[int]]:
        """The records at `offsets` (ascending), and those of them where Kafka holds none any more.

        What could not be read within `seconds` is in neither.
        """
        found, damaged = list[Message](), Damaged(self._consumer, "signalbox.reconciler")
        gaps: list[int] = []
        wanted = deque(offsets)
        position = -SEEK_BEYOND
        until = monotonic() + seconds
        while wanted and monotonic() < until:
            if wanted[0] - position >= SEEK_BEYOND:
                position = wanted[0]
                self._assign({partition: position})
            for message in self._consumer.consume(SEEK_BEYOND, 0.05):
                offset = message.offset() or 0
                if message.error() is None:
                    position = offset + 1
                elif _is_end(message, partition):
                    position = max(position, offset)  # behind a marker, which no consumer is given
                elif damaged.pass_over(message):
                    offset = position = offset + 1  # a gap, for no consumer can be given it
                else:
                    continue
                while wanted and wanted[0] < offset:
                    gaps.append(wanted.popleft())
                if wanted and wanted[0] == offset and message.error() is None:
                    found.append(message)
                    wanted.popleft()
        self._consumer.unassign()
        return found, gaps

    def close(self) -> None:
        """Let go of the connections."""
        for each in (self._consumer, *self._feeders.values()):
            each.close()

    def _feeder(self, topic: str) -> Consumer:
        """A client in the name of the lane's feeder group, which it never joins.

        An admin client would do for all lanes, but once it has met a coordinator that was killed, each of its
        requests times out (`tests/faults/kills.py`), and to replace it while one is open ends the process.
        """
        if topic not in self._feeders:
            config = consumer_config(self._bootstrap, feeder_group(topic))
            self._feeders[topic] = Consumer(config, logger=client_log)
        return self._feeders[topic]

    def _assign(self, places: Mapping[Partition, int]) -> None:
        self._consumer.assign([TopicPartition(topic, number, at) for (topic, number), at in places.items()])


def _is_end(message: Message, partition: Partition) -> bool:
    error = message.error()
    return (
        error is not None
        and error.code() == KafkaError._PARTITION_EOF
        and (message.topic(), message.partition()) == partition
    )
