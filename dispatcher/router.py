"""From the source topic to the lanes: a record counts as routed when Kafka holds all that came of it."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from threading import Event
from time import monotonic
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from dispatcher.intake import take_in
from dispatcher.sorting import smaller
from dispatcher.tracking import Flight, Tracker
from events.avro import SHIPPED, Schemas
from events.cutting import size
from events.errors import SignalboxError, Unavailable
from events.topics import DEAD_LETTERS, EVENTS, UNROUTED
from routing import Table
from transport import metrics
from transport.client_log import client_log
from transport.clock import Clock, system_clock
from transport.cluster import Bootstrap
from transport.group import GroupConsumer, Partition
from transport.kafka import Outgoing, position_of, producer_config

GROUP = "signalbox.router"
BATCH = 512
# What is written again where Kafka goes away and another member takes over: records not acknowledged yet.
IN_THE_AIR = 8_192
LAST_WAIT_S = 5.0
ASK_AGAIN_S = 0.1
"""How long to wait before a record is read again whose schema the registry could not give.

Each time Kafka sends that partition's records anew, and each time the other partitions get a batch on.
"""

PRODUCER = {
    # an event that comes alone waits for nobody; a batch is written faster than it is sent
    "linger.ms": 0,
    "queue.buffering.max.kbytes": 65_536,
    # an outage of any length is waited out: what is not written is not committed either
    "message.timeout.ms": 0,
}

_log = logging.getLogger(__name__)


class WriteError(SignalboxError):
    """Kafka will never take a record that has to be written. The source record stays incomplete."""


class _Refused(NamedTuple):
    """A record that Kafka found too large, `refusals` times by now."""

    write: Outgoing
    flight: Flight
    refusals: int


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
        clock: Clock = system_clock,
    ) -> None:
        """`table` answers with the routing table in force; it is asked between two batches."""
        self._table = table
        self._stop = stop
        self._schemas = schemas
        self._clock = clock
        self._tracker = Tracker()
        self._failure: WriteError | None = None
        self._refused: list[_Refused] = []
        self._producer = Producer(producer_config(bootstrap, **PRODUCER), logger=client_log)
        self._consumer = GroupConsumer(bootstrap, group, source, self._tracker, self._leaving)

    def run(self) -> None:
        """Route until `stop` is set.

        Raises `WriteError`, and `KafkaException` where a client cannot go on.
        """
        try:
            while not self._stop.is_set():
                self.step(0.1)
        finally:
            self._consumer.close()

    def step(self, timeout: float) -> None:
        """Take in one batch, waiting up to `timeout` seconds for its first record."""
        self._land(0)
        while len(self._producer) >= IN_THE_AIR and not self._stop.is_set():
            self._land(0.05)
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
                became = take_in(message, table, now, self._schemas)
            except Unavailable as error:
                held.add(partition)
                self._consumer.go_back(partition, position.offset, error)
                continue
            read.append((partition, position.offset))
            writes += became.writes
            fates[became.cause or became.fate] += 1
        flight = self._tracker.begin(read, len(writes))
        self._write(writes, flight)
        _count(fates, writes)
        if held:
            self._stop.wait(ASK_AGAIN_S)

    def _write(self, writes: Iterable[Outgoing], flight: Flight, refusals: int = 0) -> None:
        """Hand over records for Kafka, which has refused each of them `refusals` times by now."""
        for write in writes:

            def delivered(error: KafkaError | None, _message: Message, write: Outgoing = write) -> None:
                if error is None:
                    flight.acknowledge()
                else:
                    self._on_refusal(error, _Refused(write, flight, refusals + 1))

            topic, value, key, headers = write
            while True:
                try:
                    self._producer.produce(topic, value, key, on_delivery=delivered, headers=list(headers))
                except BufferError:
                    if self._stop.is_set():
                        return  # Kafka takes nothing now: the batch stays incomplete, and is read again
                    self._producer.poll(0.05)
                except KafkaException as error:
                    self._on_refusal(error.args[0], _Refused(write, flight, refusals + 1))
                    break
                else:
                    break

    def _on_refusal(self, error: KafkaError, refused: _Refused) -> None:
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            self._refused.append(refused)
        else:
            self._give_up(refused.write.topic, error)

    def _give_up(self, topic: str, error: object) -> None:
        self._failure = WriteError(
            f"{topic} does not take a record: {error}; its source record stays incomplete"
        )

    def _land(self, timeout: float) -> None:
        self._producer.poll(timeout)
        self._settle()
        self._consumer.commit_when_due()

    def _settle(self) -> None:
        """Act on what the delivery callbacks found."""
        if self._failure is not None:
            raise self._failure
        while self._refused:
            write, flight, refusals = self._refused.pop()
            instead = smaller(write, refusals, self._clock())
            if instead is None:
                self._give_up(write.topic, f"not even {size(*write[1:])} bytes of it")
                continue
            _log.warning("%s does not take %d bytes: less is written", write.topic, size(*write[1:]))
            self._write([instead], flight, refusals if instead.topic == write.topic else 0)

    def _leaving(self, _partitions: frozenset[Partition], lost: bool) -> None:
        """Let what is on its way arrive, so that whoever reads next need not write it again."""
        deadline = monotonic() + LAST_WAIT_S
        while not lost and len(self._producer) and self._failure is None and monotonic() < deadline:
            self._producer.poll(0.05)
            self._settle()


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
