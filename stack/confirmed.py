"""Delayed fraud labels of generated orders: the events that confirm them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from events.decision import Millis
from features.retail import LABEL_DELAY_DAYS
from stack.emission import Emission, Event, in_form
from stack.retail import SOURCE, TENANT, Order, midnight, numbered

LABEL = "order.fraud_confirmed"


def labels_of(orders: Sequence[Order], day: date) -> list[Emission]:
    """What becomes known of the orders of `day`, `LABEL_DELAY_DAYS` later, by time."""
    return [_label_of(order, day, number) for number, order in enumerate(orders) if order.scenario]


def _label_of(order: Order, day: date, number: int) -> Emission:
    payload = {
        "order_id": numbered("o", day, number),
        "customer_id": order.customer,
        "terminal_id": order.terminal,
    }
    known = moment(order, day + timedelta(days=LABEL_DELAY_DAYS))
    return label(numbered("fraud", day, number), known, payload)


def label(event_id: str, at: Millis, payload: Mapping[str, object], source: str = SOURCE) -> Emission:
    """An order was fraud, as is known at `at`. No route names it: only the features learn of it."""
    return replace(sent(LABEL, event_id, at, payload, source), fate="ignored")


def sent(
    event_type: str, event_id: str, at: Millis, payload: Mapping[str, object], source: str = SOURCE
) -> Emission:
    """An event of a customer, as JSON."""
    event = Event(
        event_id=event_id,
        event_type=event_type,
        source=source,
        occurred_at=at,
        tenant_id=TENANT,
        payload=payload,
    )
    value, headers = in_form(event, "json")
    return Emission(at, event_id, str(payload["customer_id"]).encode(), value, headers)


def moment(order: Order, day: date) -> Millis:
    """When on `day` it was placed."""
    return (midnight(day) + order.second) * 1_000
