"""Writes what the router decided, until Kafka holds each record. A refused lane holds up no other topic."""

import logging
from threading import Event
from time import monotonic
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from dispatcher.breakers import Breakers
from dispatcher.overflow import Overflows
from dispatcher.sorting import smaller
from dispatcher.tracking import Flight
from events.cutting import size
from events.decision import overflow_topic
from events.topics import DEAD_LETTERS, UNROUTED
from transport import metrics
from transport.client_log import client_log
from transport.clock import Clock
from transport.cluster import Bootstrap
from transport.kafka import Outgoing, producer_config

WRITE_AGAIN_S = 1.0
LAST_WAIT_S = 1.0
TIMEOUT_MS = 10_000
"""How long a topic may take no record before that counts as its refusal."""

PRODUCER = {
    # an event that comes alone waits for nobody; a batch is written faster than it is sent
    "linger.ms": 0,
    "queue.buffering.max.kbytes": 65_536,
    "message.timeout.ms": TIMEOUT_MS,
    # a topic whose description was refused is asked for again so often
    "topic.metadata.refresh.interval.ms": 10_000,
}

TOO_LARGE = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE})
_TIMED_OUT = frozenset(
    {
        KafkaError._MSG_TIMED_OUT,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.NOT_ENOUGH_REPLICAS,
        KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    }
)
_OF_THE_CLIENT = frozenset(
    {KafkaError._FATAL, KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT, KafkaError._DESTROY}
)

_log = logging.getLogger(__name__)


class _Pending(NamedTuple):
    """A record that is not in Kafka. `out.topic` is where it belongs, `to` where it was written to.

    `cuts` is how often it was made smaller by now.
    """

    out: Outgoing
    to: str
    flight: Flight
    cuts: int


class Writer:
    """The router's producer. Each write acknowledges its flight once Kafka holds the record.

    Errors are judged here: a record that is too large is replaced; a lane that takes no records is left alone
    and its records go to its overflow topic; what no topic takes now waits in memory and is written again; a
    producer that met a fatal error is replaced.
    """

    def __init__(self, bootstrap: Bootstrap, source: str, stop: Event, clock: Clock) -> None:
        """A lane that does not exist gets an overflow topic with as many partitions as `source`."""
        self._bootstrap = bootstrap
        self._stop = stop
        self._clock = clock
        self._breakers = Breakers()
        self._overflows = Overflows(bootstrap, source)
        self._failed: list[tuple[_Pending, KafkaError]] = []
        self._waiting: list[_Pending] = []
        self._again_at = 0.0
        self._connect()

    def __len__(self) -> int:
        """How many records Kafka does not hold yet."""
        return len(self._producer) + len(self._failed) + len(self._waiting)

    def write(self, out: Outgoing, flight: Flight, cuts: int = 0) -> None:
        """Send a record to its topic, or to its overflow topic if it is a lane that is refused."""
        to = self._way(out.topic)
        if to is None:
            self._waiting.append(_Pending(out, out.topic, flight, cuts))
        else:
            self._produce(_Pending(out, to, flight, cuts))

    def poll(self, timeout: float) -> None:
        """Let acknowledgements arrive, waiting up to `timeout` seconds, and react to refusals."""
        self._serve(timeout)
        failed, self._failed = self._failed, []
        if self._fatal is not None:
            failed += self._replace_producer(self._fatal)
        for pending, error in failed:
            self._on_failure(pending, error)
        if self._waiting and monotonic() >= self._again_at:
            self._again_at = monotonic() + WRITE_AGAIN_S
            waiting, self._waiting = self._waiting, []
            for pending in waiting:
                self.write(pending.out, pending.flight, pending.cuts)

    def _way(self, topic: str) -> str | None:
        now = monotonic()
        if self._breakers.reason(topic) is None and self._breakers.stuck(topic, now):
            self._refuse(topic, "it takes no records, and Kafka answers")
        if self._breakers.admits(topic, now):
            return topic
        if not is_lane(topic) or not self._overflows.ready(topic):
            return None
        overflow = overflow_topic(topic)
        return overflow if self._breakers.admits(overflow, now) else None

    def _produce(self, pending: _Pending) -> None:
        value, key, headers = pending.out[1:]

        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                self._failed.append((pending, error))
                return
            if self._breakers.on_acknowledged(pending.to, monotonic()):
                self._on_end_of_refusal(pending.to)
            pending.flight.acknowledge()

        self._breakers.on_written(pending.to, monotonic())
        while True:
            try:
                self._producer.produce(pending.to, value, key, on_delivery=delivered, headers=list(headers))
            except BufferError:
                if self._stop.is_set():
                    # Kafka takes nothing now: the flight stays incomplete, and is read again
                    self._breakers.on_failed(pending.to)
                    return
                self._serve(0.05)
                if self._fatal is not None:
                    self._failed.append((pending, self._fatal))
                    return
            except KafkaException as error:
                self._failed.append((pending, error.args[0]))
                return
            else:
                break
        if pending.to != pending.out.topic:
            metrics.EVENTS_DIVERTED.labels(pending.out.topic).inc()

    def _on_failure(self, pending: _Pending, error: KafkaError) -> None:
        self._breakers.on_failed(pending.to)
        if error.code() in TOO_LARGE and self._cut(pending):
            return
        if error.code() in _OF_THE_CLIENT or error.fatal():
            self._again_at = 0.0
            self._waiting.append(pending)
        elif error.code() in _TIMED_OUT and not self._refuse(pending.to, str(error)):
            self._waiting.append(pending)
        else:
            self._open(pending.to, str(error))
            self.write(pending.out, pending.flight, pending.cuts)

    def _cut(self, pending: _Pending) -> bool:
        """Write less in place of a record that is too large for its topic. False if there is nothing less."""
        out, cuts = pending.out, pending.cuts + 1
        instead = smaller(out, cuts, self._clock())
        if instead is None:
            return False
        _log.warning("%s does not take %d bytes: less is written", out.topic, size(*out[1:]))
        self.write(instead, pending.flight, cuts if instead.topic == out.topic else 0)
        return True

    def _refuse(self, topic: str, reason: str) -> bool:
        """Count a topic as refused, unless all of Kafka is away: an outage is waited out."""
        if self._breakers.reason(topic) is None:
            if not self._overflows.answers():
                return False
            self._open(topic, reason)
        return True

    def _open(self, topic: str, reason: str) -> None:
        if topic.endswith(overflow_topic("")):
            self._overflows.forget(topic.removesuffix(overflow_topic("")))
        if self._breakers.on_refused(topic, reason, monotonic()):
            metrics.TOPIC_REFUSED.labels(topic, "write").set(1)
            went = "its overflow topic, or memory" if is_lane(topic) else "memory"
            _log.error(
                "%s takes no records: %s; they go to %s until it does. Look at the topic's ACLs, its leaders "
                "and in-sync replicas, and whether it exists",
                topic,
                reason,
                went,
            )

    def _on_end_of_refusal(self, topic: str) -> None:
        metrics.TOPIC_REFUSED.labels(topic, "write").set(0)
        _log.warning("%s takes records again", topic)
        self._again_at = 0.0

    def _connect(self) -> None:
        self._fatal: KafkaError | None = None
        self._producer = Producer(producer_config(self._bootstrap, **PRODUCER), logger=client_log)

    def _serve(self, timeout: float) -> None:
        """Let delivery callbacks run. Of a fatal error the client tells by raising it here."""
        try:
            self._producer.poll(timeout)
        except KafkaException as error:
            self._fatal = self._fatal or error.args[0]

    def _replace_producer(self, fatal: KafkaError) -> list[tuple[_Pending, KafkaError]]:
        """After a fatal error a producer takes nothing more: another one writes all that it holds."""
        _log.error("the producer met a fatal error, another one goes on: %s", fatal)
        metrics.PRODUCERS_REPLACED.inc()
        self._producer.purge()
        deadline = monotonic() + LAST_WAIT_S
        while len(self._producer) and monotonic() < deadline:
            self._serve(0.05)
        failed, self._failed = self._failed, []
        self._connect()
        return failed


def is_lane(topic: str) -> bool:
    """Whether the router writes to a topic because of a route."""
    return topic not in (DEAD_LETTERS, UNROUTED) and not topic.endswith(overflow_topic(""))
