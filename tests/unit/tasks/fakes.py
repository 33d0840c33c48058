"""A workflow, a feature store, a Kafka and a clock that do what a test says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from confluent_kafka import KafkaError

from events.decision import Decision, Millis, Position, lane_topic
from events.envelope import Envelope
from events.errors import DeadLetter, SignalboxError, Unavailable
from events.lane import Batch, Fed, Original, Waiting, encode_waiting
from events.prediction import FraudDetail, Output
from events.priority import Priority
from features.contract import Contract
from features.keys import EntityKey
from features.reading import Asked, FeatureVector
from models.workflow import Answer, Case, ModelVersion
from transport.kafka import Outgoing
from transport.publisher import Unwritten

NOW: Millis = 1_800_000_000_000
QUEUE = "ml.test.input"
NEEDS = Contract(needs=(), payload=(), hash="f00d")
KNOWN = FeatureVector((2.0,), (), (), NOW - 60_000, "online", "0@70")
OUTPUT = Output("legit", 0.25, "approve", FraudDetail(0.5, 0.9))


def event(event_id: str, **payload: Any) -> dict[str, Any]:
    """An envelope as its producer wrote it."""
    return {
        "event_id": event_id,
        "event_type": "order.placed",
        "source": "tests",
        "version": "1.0.0",
        "occurred_at": NOW - 500,
        "tenant_id": "acme",
        "payload": payload,
    }


def fed(
    event_id: str,
    offset: int = 0,
    *,
    original: Original | None = None,
    payload: Mapping[str, Any] = {},
    **decision: Any,
) -> Fed:
    """A lane's record. `customer_id` of the payload is the event's id."""
    said: dict[str, Any] = {
        "prediction_id": f"pred_{event_id}",
        "workflow": "scripted",
        "queue": QUEUE,
        "priority": Priority.HIGH,
        "rule": "order.placed[0]",
        "table_hash": "abcdefabcdef",
        "sla_ms": 100,
        "deadline": NOW + 60,
        "source": Position("retail.events", 1, 70 + offset),
        **decision,
    }
    waiting = Waiting(
        msgspec.Raw(msgspec.json.encode(event(event_id, customer_id=event_id, **payload))),
        Decision(**said),
        original,
    )
    lane = Position(lane_topic(QUEUE, Priority.HIGH), 3, 1_200 + offset)
    return Fed(lane, NOW - 20, msgspec.Raw(encode_waiting(waiting)), event_id.encode())


def batch_of(*event_ids: str, **changes: Any) -> Batch:
    """These events as one message."""
    records = tuple(fed(event_id, offset) for offset, event_id in enumerate(event_ids))
    return msgspec.structs.replace(Batch(NOW - 10, records), **changes)


def broken(offset: int = 9) -> Fed:
    """A record that no router wrote."""
    return Fed(Position(lane_topic(QUEUE, Priority.HIGH), 3, 1_200 + offset), NOW, msgspec.Raw(b'"?"'), b"k")


@dataclass
class Scripted:
    """Answers with what stands under the event's id in `script`; with a prediction where nothing does."""

    script: dict[str, SignalboxError | Answer] = field(default_factory=dict)
    raises: list[Exception] = field(default_factory=list)
    seen: list[list[str]] = field(default_factory=list)
    cases: Sequence[Case] = ()
    name: str = "scripted"
    needs: Contract = NEEDS
    version: ModelVersion = field(default_factory=lambda: ModelVersion("scripted-v7", "7", "0" * 64, "f00d"))

    def entities(self, event: Envelope) -> Mapping[str, EntityKey]:
        """The customer; none for an event called `nobody`."""
        if event.event_id == "nobody":
            raise DeadLetter("missing_feature", "the payload names no customer")
        return {"customer": EntityKey(event.tenant_id, "customer", event.payload["customer_id"])}

    def entity_id(self, event: Envelope) -> str:
        """Of the order."""
        return f"order-{event.event_id}"

    def infer(self, cases: Sequence[Case]) -> Sequence[Answer | SignalboxError]:
        """As scripted. What stands first in `raises` is raised instead."""
        self.seen.append([case.event.event_id for case in cases])
        self.cases = cases
        if self.raises:
            raise self.raises.pop(0)
        return [self.script.get(case.event.event_id, Answer(OUTPUT, {"amount": 1.5})) for case in cases]

    def fall_back(self, case: Case, reason: str) -> Answer:
        """None for an event called `hopeless`."""
        if case.event.event_id == "hopeless":
            raise DeadLetter("rejected", "no rule for it")
        return Answer(OUTPUT, {}, fallback=reason)


@dataclass
class Store:
    """Vectors by the customer's id, `KNOWN` for all others. Each call is counted."""

    vectors: dict[str, FeatureVector] = field(default_factory=dict)
    down: int = 0
    calls: list[Sequence[Asked]] = field(default_factory=list)

    def read(self, contract: Contract, asked: Sequence[Asked]) -> Sequence[FeatureVector]:
        """Raises `Unavailable` the next `down` times."""
        self.calls.append(asked)
        if self.down:
            self.down -= 1
            raise Unavailable("redis", "connection refused")
        return [self.vectors.get(each.keys["customer"].entity_id, KNOWN) for each in asked]


@dataclass
class Kafka:
    """What was published. Topics in `closed` take nothing, those in `narrow` so many bytes a value."""

    down: int = 0
    records: list[Outgoing] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    narrow: dict[str, int] = field(default_factory=dict)

    def publish(self, records: Sequence[Outgoing]) -> None:
        """Raises `Unavailable` the next `down` times, and `Unwritten` if not all were taken."""
        if self.down:
            self.down -= 1
            raise Unavailable("kafka", "no acknowledgement")
        left = [place for place, record in enumerate(records) if record.topic in self.closed]
        refused = {
            place: KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)
            for place, record in enumerate(records)
            if len(record.value or b"") > self.narrow.get(record.topic, 4_000_000)
        }
        self.records += [
            each for place, each in enumerate(records) if place not in left and place not in refused
        ]
        if left or refused:
            raise Unwritten("kafka topic", "it takes not all", left, refused)

    @property
    def topics(self) -> list[str]:
        """Where each record went."""
        return [record.topic for record in self.records]


@dataclass
class FakeTimer:
    """Time that passes only if somebody sleeps."""

    time: Millis = 0
    slept: list[Millis] = field(default_factory=list)
    on_sleep: Callable[[], None] = lambda: None

    def now(self) -> Millis:
        """As it stands."""
        return self.time

    def sleep(self, length: Millis) -> None:
        """At once."""
        self.time += length
        self.slept.append(length)
        self.on_sleep()
