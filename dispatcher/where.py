"""Event trace: every topic that may hold an event is read in parallel, by a deadline."""

import json
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic

import msgspec
from confluent_kafka import KafkaException, Message

from dispatcher.lane_access import LaneAccess
from dispatcher.naming import names
from dispatcher.scan import Scanned, scan
from dispatcher.whereabouts import GivenUp, InLane, InSource, Predicted, Sighting, Unrouted
from events.avro import SHIPPED, Schemas
from events.codec import decode
from events.deadletter import DeadLetterHeaders
from events.decision import Millis, dead_letter_topic, lane_topic, overflow_topic
from events.envelope import Envelope
from events.errors import DeadLetter, Unavailable
from events.lane import decode_record
from events.prediction import decode_prediction
from events.priority import Priority
from events.topics import DEAD_LETTERS, EVENTS, PREDICTIONS, UNROUTED
from routing import Catalogue
from transport.cluster import Bootstrap
from transport.group import Partition
from transport.kafka import Headers, headers_or_fault, position_of

THREADS = 4


@dataclass(frozen=True, slots=True)
class Found:
    """Where the event was seen, and which topics could not be read to their end in time."""

    sightings: tuple[Sighting, ...]
    unfinished: tuple[str, ...]


class Search:
    """Looks for one event by its id."""

    def __init__(
        self,
        bootstrap: Bootstrap,
        catalogue: Catalogue,
        event_id: str,
        *,
        source: str = EVENTS,
        schemas: Schemas = SHIPPED,
    ) -> None:
        self._bootstrap = bootstrap
        self._event_id = event_id
        self._schemas = schemas
        self._source = source
        lanes = {lane_topic(queue, priority) for queue in catalogue.queues for priority in Priority}
        self._lanes = lanes | set(map(overflow_topic, lanes))
        self._dead = {DEAD_LETTERS, *(dead_letter_topic(queue) for queue in catalogue.queues)}

    def run(self, topics: Collection[str], since: Millis, seconds: float) -> Found:
        """Look through those of `topics` in which the event may stand. Raises `Unavailable`."""
        wanted = {self._source, UNROUTED, PREDICTIONS, *self._dead, *self._lanes}.intersection(topics)
        deadline = monotonic() + seconds
        needles = _needles(self._event_id)

        def look(topic: str) -> Scanned:
            return scan(self._bootstrap, topic, needles, since, deadline)

        try:
            with ThreadPoolExecutor(THREADS) as pool:
                scanned = list(pool.map(look, sorted(wanted)))
            fed = self._fed({each.topic for each in scanned if each.topic in self._lanes and each.messages})
        except KafkaException as error:
            raise Unavailable("kafka", error) from error
        messages = sorted((m for each in scanned for m in each.messages), key=lambda m: m.timestamp()[1])
        sightings = (self._sighting(message, fed) for message in messages)
        return Found(
            tuple(sighting for sighting in sightings if sighting is not None),
            tuple(each.topic for each in scanned if not each.finished),
        )

    def _fed(self, lanes: Iterable[str]) -> dict[Partition, int]:
        """Where each lane's feeder stands; at the first record that there is, where it has not begun."""
        access = LaneAccess(self._bootstrap)
        try:
            return {
                partition: place
                for topic in lanes
                for partition, place in access.feeder_places(topic).items()
            }
        finally:
            access.close()

    def _sighting(self, message: Message, fed: Mapping[Partition, int]) -> Sighting | None:
        """What a record that holds the id's text says of the event; None if it speaks of another."""
        at, headers = position_of(message), headers_or_fault(message)[0] or ()
        value = message.value() or b""
        try:
            if at.topic == PREDICTIONS:
                prediction = decode_prediction(value)
                return Predicted(at, prediction) if prediction.source_event_id == self._event_id else None
            if at.topic in self._lanes:
                record = decode_record(value)
                # of a partition that was added meanwhile nothing was fed
                ahead = at.offset - fed.get((at.topic, at.partition), 0)
                ours = record.event.event_id == self._event_id
                return InLane(at, record, ahead if ahead >= 0 else None) if ours else None
            event = self._event(value, headers)
            if event is None and not names(self._event_id, value, headers):
                return None
            if event is not None and event.event_id != self._event_id:
                return None
            if at.topic in self._dead:
                return GivenUp(at, DeadLetterHeaders.parse(headers))
        except (DeadLetter, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        return Unrouted(at) if at.topic == UNROUTED else InSource(at, message.timestamp()[1], event)

    def _event(self, value: bytes, headers: Headers) -> Envelope | None:
        """The event of an original record; None if it cannot be read, though it may name the id."""
        try:
            return decode(value, headers, self._schemas).envelope
        except (DeadLetter, Unavailable):
            return None


def _needles(event_id: str) -> frozenset[bytes]:
    """The id as it may be written in a record: plain, and as the two ways of writing JSON put it."""
    escaped = (json.dumps(event_id, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))
    return frozenset(text.encode("utf-8", "surrogatepass") for text in (event_id, *escaped))
