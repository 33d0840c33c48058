"""The support desk's ingest of the shop's events."""

import pytest

from events.envelope import Envelope
from events.money import minor_units, written
from stack.examples import PAYLOADS
from stack.support_desk.learning import ORDER, TICKET, row_of


def event(event_type: str, **payload: object) -> Envelope:
    return Envelope(
        event_id="e-1",
        event_type=event_type,
        source="shop.web",
        version="1.0.0",
        occurred_at=5,
        tenant_id="retailpulse",
        payload={**PAYLOADS[event_type], **payload},
    )


def test_an_order_is_entered_in_minor_units() -> None:
    kind, row = row_of(event("order.placed", amount=1.15, currency="GBP")) or ("", {})
    assert kind == ORDER
    assert (row["order_id"], row["customer_id"]) == ("o-1001", "c-17")
    assert (row["total_minor"], row["currency"], row["placed_at"]) == (115, "GBP", 5)


def test_a_ticket_is_entered_with_the_event_that_escalated_it() -> None:
    kind, row = row_of(event("support.ticket.escalated", body=None)) or ("", {})
    assert kind == TICKET
    assert (row["ticket_id"], row["event_id"], row["order_id"], row["body"]) == ("t-301", "e-1", None, "")


def test_nothing_else_is_entered() -> None:
    assert row_of(event("page.viewed")) is None


@pytest.mark.parametrize(
    ("amount", "currency", "minor", "text"),
    [
        (12.5, "EUR", 1_250, "12.50 EUR"),
        (1.15, "EUR", 115, "1.15 EUR"),
        (12.0, "JPY", 12, "12 JPY"),
        (0.005, "KWD", 5, "0.005 KWD"),
        (1e12, "USD", 100_000_000_000_000, "1,000,000,000,000.00 USD"),
        (0.0, "USD", 0, "0.00 USD"),
    ],
)
def test_money_is_counted_in_the_smallest_coin(amount: float, currency: str, minor: int, text: str) -> None:
    assert minor_units(amount, currency) == minor
    assert written(minor, currency) == text
