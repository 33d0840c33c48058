"""One member of the pipeline: reads its partitions, counts batches, and says how far everything is counted.

It keeps nothing that is not in SQL. Where it begins in a partition is what SQL says; what it has read and
cannot count, or another member has counted, is dropped, and the place asked for again.
"""

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from threading import Event
from time import monotonic
from typing import Protocol

from confluent_kafka import KafkaException

from events.avro import SHIPPED, Schemas
from events.errors import Unavailable
from events.timeliness import DECLARED, Spans
from events.topics import EVENTS
from features.heartbeats import Heartbeat
from features.offline.batch import Fenced, StreamBatch
from features.pipeline.batching import take
from features.pipeline.counting import Counted, Ledger, count
from features.pipeline.placing import ReplacedLogError
from features.pipeline.pushing import Pusher, Shelf
from features.pipeline.putting import Source
from features.pipeline.reading import Record, Skipped
from features.pipeline.source import SourceTopic
from features.pipeline.standing import Stand, Standing
from features.schema import Definitions
from transport import metrics
from transport.client_log import Sparse
from transport.clock import Clock, system_clock
from transport.cluster import Bootstrap
from transport.group import Partition

GROUP = "signalbox.features"
BATCH = 2_000
"""Records that are read at once. One transaction takes those of one partition."""
BEAT_EVERY_S = 1.0
ASK_AGAIN_S = 1.0

_log = logging.getLogger(__name__)
_log.addFilter(Sparse())


class Offline(Ledger, Source, Protocol):
    """The offline store, as the pipeline sees it."""

    def positions(self, topic: str) -> Mapping[int, int]:
        """The offset of the next record to count, by partition, of those that were counted.

        Raises `Unavailable`.
        """


class Pipeline:
    """Reads the source as a member of a group. Make it and run it on one thread."""

    def __init__(
        self,
        bootstrap: Bootstrap,
        definitions: Definitions,
        offline: Offline,
        online: Shelf,
        stop: Event,
        *,
        source: str = EVENTS,
        group: str = GROUP,
        schemas: Schemas = SHIPPED,
        spans: Spans = DECLARED,
        clock: Clock = system_clock,
    ) -> None:
        self._definitions = definitions
        self._offline = offline
        self._stop = stop
        self._schemas = schemas
        self._spans = spans
        self._clock = clock
        self._standing = Standing()
        self._ask_at = 0.0
        self._beat_at = 0.0
        self._source = SourceTopic(bootstrap, group, source, self._standing, self._leaving, clock)
        self._pusher = Pusher(source, definitions, offline, online, self._source.stay)

    def run(self) -> None:
        """Count until `stop` is set.

        Raises `KafkaException` if the client cannot go on, and what the database says where it takes not
        even an empty batch.
        """
        try:
            while not self._stop.is_set():
                self.step(0.1)
        finally:
            self._source.close()

    def step(self, timeout: float) -> None:
        """Count what there is, waiting up to `timeout` seconds for the first record."""
        self._place()
        records = self._source.read(BATCH, timeout)
        while records:
            partition, some = records.popitem()
            if partition in self._standing.placed and not self._take(partition, some):
                # a database that hangs is waited for once, not for each partition anew
                self._drop(records.keys() & self._standing.placed.keys())
                break
        if monotonic() >= self._beat_at:
            self._beat_at = monotonic() + BEAT_EVERY_S
            self._beat()
        self._source.commit_when_due()

    def _place(self) -> None:
        """Begin to read the partitions that have no place, once SQL says where."""
        unplaced = self._standing.unplaced
        if not unplaced or monotonic() < self._ask_at:
            return
        try:
            counted = self._offline.positions(self._source.topic)
            for partition in sorted(unplaced):
                try:
                    self._begin(partition, counted.get(partition[1]))
                except ReplacedLogError as error:
                    self._log_is_short(partition, error)
        except (Fenced, Unavailable, KafkaException) as error:
            self._wait(error)

    def _begin(self, partition: Partition, counted: int | None) -> None:
        begin = self._source.begin(partition, counted)
        if counted is None and begin.position > 0:
            # online it stands above 0 from now on: no row is let in that SQL does not say as much of
            self._offline.commit(StreamBatch(*partition, begin.position, begin.position, 0, 0, ()))
        self._standing.place(partition, begin.position)
        self._pusher.greet(partition[1], begin.position)
        metrics.FEATURE_LOG_SHORT.labels(partition[1]).set(0)
        _log.info("%s[%d]: counting from %d", *partition, begin.position)
        if begin.lost:
            metrics.FEATURE_OFFSETS_LOST.inc(begin.lost)
            _log.error("deleted before they were counted: %d of %s[%d]", begin.lost, *partition)

    def _log_is_short(self, partition: Partition, error: ReplacedLogError) -> None:
        """What was counted stays in force, the other partitions are counted on, and this one waits."""
        self._ask_at = monotonic() + ASK_AGAIN_S
        metrics.FEATURE_LOG_SHORT.labels(partition[1]).set(error.short)
        _log.error("one partition waits, the others go on: %s", str(error))

    def _take(self, partition: Partition, records: Iterable[Record]) -> bool:
        """Count records of one partition; false if SQL is away."""
        stand = self._standing.placed[partition]
        taken = take(partition, stand, records, self._definitions, self._clock(), self._schemas, self._spans)
        try:
            if taken.records:
                for counted in count(self._offline, taken.batch, stand.as_of):
                    self._counted(partition, counted)
        except (Fenced, Unavailable) as error:
            self._drop([partition])
            self._wait(error)
            return isinstance(error, Fenced)
        metrics.FEATURE_EVENTS.labels("idle").inc(taken.idle)
        self._say(taken.skipped)
        if taken.undone is not None:
            self._drop([partition])
            self._wait(taken.undone)
        return True

    def _counted(self, partition: Partition, counted: Counted) -> None:
        batch, fresh = counted.batch, len(counted.fresh)
        self._standing.advance(partition, batch.position, batch.as_of, batch.clock)
        metrics.FEATURE_EVENTS.labels("counted").inc(fresh)
        metrics.FEATURE_EVENTS.labels("duplicate").inc(len(batch.events) - fresh - len(counted.skipped))
        self._say(counted.skipped)
        self._pusher.push(counted)

    def _drop(self, partitions: Collection[Partition]) -> None:
        """What was read of these and not counted is read again, from where SQL says."""
        if partitions:
            self._source.drop(partitions)
            self._standing.displace(partitions)

    def _wait(self, why: Exception) -> None:
        self._ask_at = monotonic() + ASK_AGAIN_S
        _log.warning("waiting, nothing is skipped: %s", str(why))

    def _beat(self) -> None:
        """Where a partition is read to its end, all is counted that has arrived until now."""
        for partition, stand in list(self._standing.placed.items()):
            asked_at = self._clock()
            try:
                end = self._source.end(partition)
            except KafkaException as error:
                _log.warning("no heartbeat: %s", str(error))
                return
            if end < min(stand.position, stand.end):
                # made anew, or cut short; one that only lags behind (decisions/0003) does not go back
                self._drop([partition])
                continue
            stand.end = end
            if max(stand.position, self._source.read_to_end(partition)) >= end:
                stand.as_of = max(stand.as_of, asked_at)
                self._say_counted(partition, stand)
            metrics.FEATURE_AS_OF.labels(partition[1]).set(stand.as_of / 1_000)

    def _say_counted(self, partition: Partition, stand: Stand) -> None:
        try:
            self._pusher.beat(partition[1], Heartbeat(stand.position, stand.as_of, stand.clock))
        except ReplacedLogError as replaced:
            # another log, or another member has counted on while this one was frozen: SQL tells them apart
            try:
                if self._offline.positions(partition[0]).get(partition[1], 0) <= stand.position:
                    self._log_is_short(partition, replaced)
                    return
            except Unavailable as error:
                self._wait(error)
            self._drop([partition])

    def _say(self, skipped: Iterable[Skipped]) -> None:
        for offset, cause, reason in skipped:
            _log.warning("skipped, %s: %s@%d: %s", cause, self._source.topic, offset, reason)
        for cause, number in Counter(each.cause for each in skipped).items():
            metrics.FEATURE_EVENTS.labels(cause).inc(number)

    def _leaving(self, partitions: frozenset[Partition]) -> None:
        numbers = [number for _, number in partitions]
        self._pusher.forget(numbers)
        for number in numbers:
            with suppress(KeyError):
                metrics.FEATURE_AS_OF.remove(number)
