"""Outcomes of lane records, as workers write them."""

from collections.abc import Iterable

from events.deadletter import dead_letter
from events.decision import Position, dead_letter_topic
from events.errors import DeadLetter
from events.prediction import FraudDetail, Output, Prediction, encode_prediction
from events.priority import Priority
from events.topics import PREDICTIONS
from tests.integration.dispatcher.ground import Ground
from transport.kafka import Outgoing
from transport.publisher import Publisher


def prediction(lane: Position, event_id: str = "e-1") -> Outgoing:
    """The outcome of a lane's record."""
    made = Prediction(
        prediction_id=f"pred_{lane}",
        model_id="fraud-classifier-v1",
        source_event_id=event_id,
        entity_id="o-1",
        output=Output("legitimate", 0.01, "approve", FraudDetail(0.5, 0.9)),
        latency_ms=12,
        feature_version="2026-01-01T00:00:00Z",
        predicted_at="2026-01-01T00:00:00Z",
        tenant_id="retailpulse",
        event_type="order.placed",
        occurred_at=1,
        workflow="fraud-classifier",
        queue=lane.topic.removesuffix(".high"),
        priority=Priority.HIGH,
        arm="champion",
        rule="order.placed[0]",
        table_hash="0" * 12,
        model_version="1",
        model_digest="0" * 64,
        code_version="test",
        features={},
        feature_hash="0" * 12,
        inference_ms=0.1,
        sla_ms=100,
        deadline=1,
        fed_at=1,
        attempts=1,
        source=Position("retail.events", 0, lane.offset),
        lane=lane,
    )
    return Outgoing(PREDICTIONS, encode_prediction(made), made.prediction_id.encode())


def given_up(lane: Position, value: bytes = b"{}") -> Outgoing:
    """The other outcome."""
    letter = dead_letter(
        source=Position("retail.events", 0, lane.offset),
        timestamp=1,
        value=value,
        key=None,
        headers=None,
        error=DeadLetter("rejected", "no"),
        cause="rejected",
        attempts=1,
        first_failure=1,
        last_failure=1,
        lane=lane,
    )
    topic = dead_letter_topic(lane.topic.removesuffix(".high"))
    return Outgoing(topic, letter.value, letter.key, letter.headers)


def publish(ground: Ground, records: Iterable[Outgoing]) -> None:
    """Write outcomes."""
    Publisher(ground.kafka).publish(list(records), 30)
