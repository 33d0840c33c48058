"""From the source topic to the lanes: a record counts as routed when Kafka holds all that came of it."""

import logging
from collections import Counter
from collections.abc import Callable
from threading import Event
from time import monotonic

from confluent_kafka import Message

from dispatcher.intake import take_in
from dispatcher.tracking import Tracker
from dispatcher.writer import Writer
from events.avro import SHIPPED, Schemas
from events.errors import Unavailable
from events.timeliness import DECLARED, Spans
from events.topics import DEAD_LETTERS, EVENTS, UNROUTED
from routing import Table
from transport import metrics
from transport.clock import Clock, system_clock
from transport.cluster import Bootstrap
from transport.group import GroupConsumer, Partition
from transport.kafka import Outgoing, position_of

GROUP = "signalbox.router"
BATCH = 512
# What is written again where Kafka goes away and another member takes over: records not acknowledged yet.
IN_THE_AIR = 8_192
LAST_WAIT_S = 5.0
ASK_AGAIN_S = 0.1
"""How long to wait before a record is read again whose schema the registry could not give.

Each time Kafka sends that partition's records again, and each time the other partitions get a batch on.
"""

_log = logging.getLogger(__name__)


class Router:
    """Reads batches of the source topic, with up to about `IN_THE_AIR` records on their way to Kafka.

    One batch is decided on with one table. It is complete once Kafka has acknowledged every write that it led
    to; what is complete, with all before it, is committed.
    """

    def __init__(
        self,
        bootstrap: Bootstrap,
        table: Callable[[], Table],
        stop: Event,
        *,
        source: str = EVENTS,
        group: str = GROUP,
        schemas: Schemas = SHIPPED,
        spans: Spans = DECLARED,
        clock: Clock = system_clock,
    ) -> None:
        """`table` answers with the routing table in force; it is asked between two batches."""
        self._table = table
        self._stop = stop
        self._schemas = schemas
        self._spans = spans
        self._clock = clock
        self._tracker = Tracker()
        self._writer = Writer(bootstrap, source, stop, clock)
        self._consumer = GroupConsumer(bootstrap, group, source, self._tracker, self._leaving)

    def run(self) -> None:
        """Route until `stop` is set. Raises `KafkaException` if the consumer cannot go on."""
        try:
            while not self._stop.is_set():
                self.step(0.1)
        finally:
            self._consumer.close()

    def step(self, timeout: float) -> None:
        """Take in one batch, waiting up to `timeout` seconds for its first record."""
        self._land(0)
        while len(self._writer) >= IN_THE_AIR and not self._stop.is_set():
            self._land(0.05)
            self._consumer.stay()
        messages = self._consumer.read(BATCH, timeout)
        if messages:
            self._route(messages)

    def _route(self, messages: list[Message]) -> None:
        table, now = self._table(), self._clock()
        read: list[tuple[Partition, int]] = []
        writes: list[Outgoing] = []
        fates: Counter[str] = Counter()
        held: set[Partition] = set()
        for message in messages:
            position = position_of(message)
            partition = (position.topic, position.partition)
            if partition in held:
                continue
            try:
                became = take_in(message, table, now, self._schemas, self._spans)
            except Unavailable as error:
                held.add(partition)
                self._consumer.go_back(partition, position.offset, error)
                continue
            read.append((partition, position.offset))
            writes += became.writes
            fates[became.cause or became.fate] += 1
        flight = self._tracker.begin(read, len(writes))
        for out in writes:
            self._writer.write(out, flight)
        _count(fates, writes)
        if held:
            self._stop.wait(ASK_AGAIN_S)

    def _land(self, timeout: float) -> None:
        self._writer.poll(timeout)
        self._consumer.commit_when_due()

    def _leaving(self, _partitions: frozenset[Partition], lost: bool) -> None:
        """Let what is on its way arrive, so that the next reader need not write it again."""
        deadline = monotonic() + LAST_WAIT_S
        while not lost and len(self._writer) and monotonic() < deadline:
            self._writer.poll(0.05)


def _count(fates: Counter[str], writes: list[Outgoing]) -> None:
    metrics.EVENTS_READ.inc(fates.total())
    metrics.EVENTS_IGNORED.inc(fates.pop("ignored", 0))
    metrics.EVENTS_UNROUTED.inc(fates.pop("unrouted", 0))
    fates.pop("routed", None)
    for cause, number in fates.items():
        metrics.DEAD_LETTERS.labels(DEAD_LETTERS, cause).inc(number)
    if fates:
        _log.info("%d events to %s: %s", fates.total(), DEAD_LETTERS, dict(fates))
    for topic, number in Counter(write.topic for write in writes).items():
        if topic not in (DEAD_LETTERS, UNROUTED):
            metrics.EVENTS_ROUTED.labels(topic).inc(number)
