"""Which tickets are taken, and how much of them."""

from typing import Any

import pytest

from events.envelope import Envelope
from events.errors import DeadLetter
from models.support.ticket import CUT, LONGEST_BODY, LONGEST_SUBJECT, Ticket

GOOD: dict[str, Any] = {"ticket_id": "T-1", "customer_id": "C-1"}


def event(payload: dict[str, Any]) -> Envelope:
    return Envelope(
        event_id="E-1",
        event_type="support.ticket.escalated",
        source="test",
        version="1.0.0",
        occurred_at=1,
        tenant_id="retailpulse",
        payload=payload,
    )


def test_a_ticket_needs_no_more_than_its_id_and_its_customer() -> None:
    ticket = Ticket.of(event(GOOD))
    assert (ticket.ticket_id, ticket.customer_id, ticket.order_id) == ("T-1", "C-1", None)
    assert (ticket.subject, ticket.body, ticket.reason) == ("", "", "")
    assert (ticket.tenant_id, ticket.event_id) == ("retailpulse", "E-1")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        pytest.param({"ticket_id": ""}, "ticket_id", id="a ticket without an id is none"),
        pytest.param({"customer_id": 7}, "customer_id", id="a number is nobody's name"),
        pytest.param({"body": ["text"]}, "body", id="a list is no text"),
        pytest.param({"order_id": "x" * 257}, "order_id", id="an order's id has an end"),
        pytest.param({"body": "x" * 100_001}, "body", id="a text longer than the contract's is refused"),
    ],
)
def test_what_is_no_ticket_is_dead_lettered(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(DeadLetter, match=where) as refused:
        Ticket.of(event(GOOD | changes))
    assert refused.value.cause == "invalid_payload"


def test_a_long_text_is_cut_and_says_so() -> None:
    ticket = Ticket.of(event(GOOD | {"subject": "s" * 1_000, "body": "b" * 50_000}))
    assert len(ticket.subject) == LONGEST_SUBJECT
    assert len(ticket.body) == LONGEST_BODY
    assert ticket.body.endswith(CUT)


def test_control_codes_do_not_reach_the_prompt() -> None:
    ticket = Ticket.of(event(GOOD | {"body": "a\x00b\x1b[31mc\u202ed\n\te"}))
    assert ticket.body == "ab[31mcd\n\te"
