"""Orders to decide on."""

from typing import Any

from events.decision import Decision, Position
from events.envelope import Envelope
from events.priority import Priority
from features.definitions import CUSTOMER_FEATURES, TERMINAL_FEATURES
from features.online import FeatureRow
from models.workflow import Case

MONDAY_NOON = 1_530_532_800_000  # 2018-07-02T12:00:00Z

PAYLOAD = {"order_id": "o-1", "customer_id": "c-1", "terminal_id": "t-1", "amount": 57.16, "currency": "GBP"}

CUSTOMER_ROW = FeatureRow(0, {name: 10.0 + place for place, name in enumerate(CUSTOMER_FEATURES)})
TERMINAL_ROW = FeatureRow(0, {name: 20.0 + place for place, name in enumerate(TERMINAL_FEATURES)})

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


def case(
    event: Envelope | None = None,
    customer: FeatureRow | None = CUSTOMER_ROW,
    terminal: FeatureRow | None = TERMINAL_ROW,
) -> Case:
    """An order with the rows that were found for it."""
    return Case(event or order(), DECISION, {"customer": customer, "terminal": terminal})
