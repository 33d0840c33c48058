"""What one lane's consumer reads, keeps its place by, and commits."""

from collections.abc import Callable, Iterable
from time import monotonic

from confluent_kafka import TopicPartition

from dispatcher.held import HeldRecord, held
from dispatcher.tracking import Tracker
from transport.cluster import Bootstrap
from transport.group import GroupConsumer, Partition
from transport.kafka import connect_consumer

# Rebalances are served by reading: a lane without room is read all the same once in a while, one record
# at a time. After so many it only says that it lives, for what was read is kept in memory.
STAY_EVERY_S = 5.0
STAY_READS = 1_000
RECONCILER_GROUP = "signalbox.reconciler"
ANSWER_S = 5.0


def feeder_group(lane: str) -> str:
    """The consumer group whose lag is what waits in a lane."""
    return f"signalbox.feeder.{lane}"


class LaneReader:
    """Reads a lane as far as there is room. A lane that waits is never paused, just not polled.

    Pausing drops what librdkafka has fetched already, and makes it 25 times slower.
    """

    def __init__(
        self, bootstrap: Bootstrap, topic: str, leaving: Callable[[frozenset[Partition]], None]
    ) -> None:
        """`leaving` is called while reading, with partitions that are another's now."""
        self._sent = Tracker()
        self._leaving = leaving
        self._bootstrap = bootstrap
        self._consumer = GroupConsumer(
            bootstrap, feeder_group(topic), topic, self._sent, self._on_leaving, floor=self._answered
        )
        self._read_at = monotonic()
        self._stay_reads = 0

    def read(self, room: int, timeout: float) -> list[HeldRecord]:
        """Up to `room` records, waiting up to `timeout` seconds for the first.

        Raises `KafkaException` if the client cannot go on.
        """
        now = monotonic()
        if room:
            self._stay_reads = 0
        elif now < self._read_at + STAY_EVERY_S:
            return []
        self._read_at = now
        if not room:
            if self._stay_reads == STAY_READS:
                self._consumer.stay()
                return []
            self._stay_reads += 1
        return [held(message) for message in self._consumer.read(max(room, 1), timeout)]

    def on_sent(self, records: Iterable[HeldRecord]) -> None:
        """The workers have these: they may be committed, with all that was sent before."""
        self._sent.begin((((at.topic, at.partition), at.offset) for at, _, _ in records), writes=0)

    def commit_when_due(self) -> None:
        """Commit what was sent, if the last commit was a while ago."""
        self._consumer.commit_when_due()

    def close(self) -> None:
        """Commit what was sent, and leave the group."""
        self._consumer.close()

    def _answered(self, partition: Partition) -> int | None:
        """Up to where every record has an outcome, as the reconciler committed; None if it did not.

        It is asked if the feeder's own position expired: what is answered is not fed again. Raises
        `KafkaException`.
        """
        consumer = connect_consumer(self._bootstrap, RECONCILER_GROUP)
        try:
            place = consumer.committed([TopicPartition(*partition)], ANSWER_S)[0].offset
        finally:
            consumer.close()
        return place if place >= 0 else None

    def _on_leaving(self, partitions: frozenset[Partition], _lost: bool) -> None:
        self._leaving(partitions)
