"""A producer that knows of each record whether Kafka holds it: what is acknowledged is never sent again."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from events.errors import Unavailable
from transport.client_log import client_log
from transport.cluster import Bootstrap
from transport.kafka import Outgoing, producer_config
from transport.metrics import PUBLISH_REFUSALS

Delivered = Callable[[KafkaError | None, Message | None], None]
Judgement = Literal["later", "topic", "record", "producer"]
"""Who is to blame that a record was not taken: Kafka as a whole, its topic, itself, or the producer."""

_RECORD = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_TIMESTAMP,
        KafkaError._INVALID_ARG,
    }
)
_TOPIC = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.TOPIC_EXCEPTION,
        KafkaError.POLICY_VIOLATION,
        KafkaError._UNKNOWN_TOPIC,
        KafkaError._UNKNOWN_PARTITION,
    }
)
_PRODUCER = frozenset({KafkaError._FATAL, KafkaError._DESTROY, KafkaError._STATE})

SETTINGS = {
    # a topic that was refused is asked for again so often
    "topic.metadata.refresh.interval.ms": 5_000,
}

_log = logging.getLogger(__name__)


def judge(error: KafkaError) -> Judgement:
    """Which reaction an error calls for. What is not known is an outage: it loses nothing."""
    if error.fatal() or error.code() in _PRODUCER:
        return "producer"
    if error.code() in _RECORD:
        return "record"
    return "topic" if error.code() in _TOPIC else "later"


class Unwritten(Unavailable):
    """Kafka does not hold all records of a batch; those in neither `left` nor `refused` are acknowledged.

    `left` are the places of those that it may take later, `refused` of those that it will never take, with
    the reason.
    """

    def __init__(
        self, dependency: str, reason: object, left: Sequence[int], refused: Mapping[int, KafkaError]
    ) -> None:
        super().__init__(dependency, reason)
        self.left = tuple(left)
        self.refused = dict(refused)


class Publisher:
    """Writes records and waits until Kafka holds each of them.

    One per process, made after the fork; not thread-safe. A producer that met a fatal error takes nothing
    more: another one takes its place.
    """

    def __init__(self, bootstrap: Bootstrap, **overrides: Any) -> None:
        """Raises `Unavailable` if a callback of OAUTHBEARER returns no token within ten seconds."""
        self._fatal: KafkaError | None = None
        self._config = producer_config(bootstrap, **{**SETTINGS, **overrides})
        self._producer = self._connect()

    def publish(self, records: Sequence[Outgoing], timeout: float) -> None:
        """Write `records` and return once every one is acknowledged.

        Raises `Unwritten` if one was not within `timeout` seconds. What is in its `left` may have been
        written all the same: write it again under the same ids.
        """
        receipt = Receipt(range(len(records)))
        self._settle(records, range(len(records)), receipt, timeout)
        for place, error in receipt.failed.items():
            PUBLISH_REFUSALS.labels(records[place].topic, judge(error)).inc()
        if self._fatal is not None or any(judge(error) == "producer" for error in receipt.failed.values()):
            self._replace()
        if receipt.left or receipt.failed:
            raise _unwritten(records, receipt, timeout)

    def _settle(
        self, records: Sequence[Outgoing], places: Sequence[int], receipt: "Receipt", timeout: float
    ) -> None:
        """Write the records at `places`, and find out which of them Kafka will never take.

        Kafka refuses a batch whole if one record in it is too large: so what it refused is written again in
        halves, until the one to blame is alone.
        """
        for place in places:
            receipt.failed.pop(place, None)
        self._write(records, places, receipt, timeout)
        suspects = [place for place in places if place in receipt.failed and receipt.blames(place)]
        if len(places) == 1:
            receipt.refused.update(suspects)
        if not suspects or len(places) == 1:
            return
        middle = (len(suspects) + 1) // 2
        for half in filter(None, (suspects[:middle], suspects[middle:])):
            if not receipt.outage:
                self._settle(records, half, receipt, timeout)

    def _write(
        self, records: Sequence[Outgoing], places: Sequence[int], receipt: "Receipt", timeout: float
    ) -> None:
        deadline = time.monotonic() + timeout
        receipt.left.update(places)
        for place in places:
            self._produce(records[place], partial(receipt.delivered, place), deadline)
        while not receipt.left.isdisjoint(places) and time.monotonic() < deadline:
            # like `poll`, but what was written goes out at once: nothing more is coming to linger for
            self._serve(0.05)
            if self._fatal is not None:
                return

    def _produce(self, record: Outgoing, delivered: Delivered, deadline: float) -> None:
        while True:
            try:
                self._producer.produce(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    headers=list(record.headers) if record.headers else None,
                    on_delivery=delivered,
                )
            except BufferError:
                if time.monotonic() > deadline:
                    return
                self._serve(0.01)
            except KafkaException as error:
                delivered(error.args[0], None)
                return
            else:
                return

    def _replace(self) -> None:
        _log.error("the producer met a fatal error, another one goes on: %s", self._fatal)
        self._producer.purge()
        self._serve(1)
        self._producer = self._connect()
        self._fatal = None

    def _connect(self) -> Producer:
        try:
            return Producer(self._config, logger=client_log)
        except KafkaException as error:
            raise Unavailable("kafka", error) from error

    def _serve(self, timeout: float) -> None:
        """Send what was written, and take in acknowledgements for up to `timeout` seconds."""
        try:
            self._producer.flush(timeout)
        except KafkaException as error:
            # the client raises a fatal error in whatever call comes next, once, even if it has a callback
            self._fatal = error.args[0]


class Receipt:
    """What became of each record of a batch, by its place there."""

    def __init__(self, places: Sequence[int]) -> None:
        self.left = set(places)
        """Neither acknowledged nor failed: those that are on their way, or were not written."""
        self.failed: dict[int, KafkaError] = {}
        self.refused: set[int] = set()
        """Of those that failed, the ones that were to blame alone."""

    def delivered(self, place: int, error: KafkaError | None, _message: Message | None) -> None:
        """The delivery callback: called by `poll` on the thread that polls."""
        self.left.discard(place)
        if error is not None:
            self.failed[place] = error

    def blames(self, place: int) -> bool:
        """Whether the record itself was refused, or one that was in a batch with it."""
        return judge(self.failed[place]) == "record"

    @property
    def outage(self) -> bool:
        """Whether a record was not taken for a reason that is not its own."""
        return bool(self.left) or not all(map(self.blames, self.failed))


def _unwritten(records: Sequence[Outgoing], receipt: Receipt, timeout: float) -> Unwritten:
    refused = {place: receipt.failed[place] for place in sorted(receipt.refused)}
    later = {place: error for place, error in receipt.failed.items() if place not in refused}
    left = sorted({*receipt.left, *later})
    if not left:
        place, error = next(iter(refused.items()))
        return Unwritten("kafka", f"{records[place].topic} will never take a record: {error}", left, refused)
    of_topics = {place: error for place, error in later.items() if judge(error) == "topic"}
    topic = records[next(iter(of_topics or left))].topic
    reason = next(iter((of_topics or later).values()), f"no acknowledgement within {timeout} s")
    if of_topics:
        return Unwritten(f"kafka topic {topic}", reason, left, refused)
    return Unwritten("kafka", f"{topic}: {reason}", left, refused)
