"""Training labels by order: what an event says of one order, or of its having been fraud. Pure."""

from typing import NamedTuple

from events.envelope import Envelope
from features.extraction import scaled

PLACED = "order.placed"
CONFIRMED = "order.fraud_confirmed"


class PlacedOrder(NamedTuple):
    """An order, as a row of training data needs it."""

    tenant_id: str
    order_id: str
    customer_id: str
    terminal_id: str
    amount_cents: int


class ConfirmedFraud(NamedTuple):
    """An order was confirmed to be fraud."""

    tenant_id: str
    order_id: str


Outcome = PlacedOrder | ConfirmedFraud


def outcome_of(event: Envelope) -> Outcome | None:
    """The order, or the label, of an event whose payload is valid; None if it is neither.

    An order without id, customer, terminal or amount is none: it cannot be scored either.
    """
    if event.event_type not in (PLACED, CONFIRMED):
        return None
    order_id = event.payload.get("order_id")
    if type(order_id) is not str or not order_id:
        return None
    if event.event_type == CONFIRMED:
        return ConfirmedFraud(event.tenant_id, order_id)
    customer, terminal = event.payload.get("customer_id"), event.payload.get("terminal_id")
    cents = scaled(event.payload.get("amount"), 100)
    if type(customer) is not str or type(terminal) is not str or cents is None:
        return None
    return PlacedOrder(event.tenant_id, order_id, customer, terminal, cents)
