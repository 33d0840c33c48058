"""Orders to decide on."""

from collections.abc import Mapping
from typing import Any

from events.decision import Decision, Position
from events.envelope import Envelope
from events.priority import Priority
from features.keys import EntityKey
from features.reading import FeatureVector
from models.fraud_features import STORED
from models.workflow import Case

MONDAY_NOON = 1_530_532_800_000  # 2018-07-02T12:00:00Z

PAYLOAD = {"order_id": "o-1", "customer_id": "c-1", "terminal_id": "t-1", "amount": 57.16, "currency": "GBP"}

KEYS = {entity: EntityKey("acme", entity, f"{entity[0]}-1") for entity in ("customer", "terminal")}
STORED_VALUES = {name: 10.0 + place for place, name in enumerate(STORED)}

DECISION = Decision(
    prediction_id="pred_1",
    workflow="fraud-classifier",
    queue="ml.fraud.input",
    priority=Priority.HIGH,
    rule="order.placed[0]",
    table_hash="abc",
    sla_ms=100,
    deadline=MONDAY_NOON + 100,
    source=Position("retail.events", 0, 1),
)


def order(occurred_at: int = MONDAY_NOON, **payload: Any) -> Envelope:
    """An `order.placed`, with fields in the place of the usual ones; None takes one away."""
    fields = {name: value for name, value in {**PAYLOAD, **payload}.items() if value is not None}
    return Envelope(
        event_id="e-1",
        event_type="order.placed",
        source="shop",
        version="1.0.0",
        occurred_at=occurred_at,
        tenant_id="acme",
        payload=fields,
    )


def vector(values: Mapping[str, float] = STORED_VALUES, missing: tuple[str, ...] = ()) -> FeatureVector:
    """What the store has; a feature that is not named stands at 0."""
    return FeatureVector(
        tuple(values.get(name, 0.0) for name in STORED), missing, (), MONDAY_NOON - 60_000, "online", "0@1"
    )


NOTHING = vector({}, missing=STORED)
"""A customer and a terminal that nobody has seen."""


def case(event: Envelope | None = None, features: FeatureVector | None = None) -> Case:
    """An order with what the store has for it."""
    return Case(event or order(), DECISION, KEYS, features or vector())
