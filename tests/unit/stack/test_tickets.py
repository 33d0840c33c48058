"""The tickets that customers write, and the orders that they write about."""

import random
from pathlib import Path

import msgspec
import pytest

from events.codec import decode
from models.support.ticket import Ticket
from routing import load
from stack.emission import Emission
from stack.retail import DAY_S, FIRST_DAY, Order, Retail, Scenario, midnight
from stack.tickets import LETTERS, escalated
from stack.traffic import ESCALATED, TICKET, Audience, Mix, day_of_traffic

RULES = load(Path("config/routing_table.yaml"), Path("config/workflows.yaml"))
ORDER = Order(second=5, customer="c-1", terminal="t-1", cents=1_200, scenario=Scenario.NONE)
SHOP = Retail(customers=600, terminals=600)
SERVED = Audience(frozenset({"order.placed", TICKET}))


def test_each_letter_names_its_order_where_the_shop_knows_it() -> None:
    rng = random.Random(3)
    payloads = [escalated("ticket-1", "o-9", ORDER, rng) for _ in range(200)]
    assert {payload["subject"] for payload in payloads} == {letter.subject for letter in LETTERS}
    assert {payload.get("order_id") for payload in payloads} == {"o-9", None}
    assert not any("{order}" in payload["body"] for payload in payloads)
    assert {payload["customer_id"] for payload in payloads} == {"c-1"}


@pytest.fixture(scope="module")
def day() -> list[Emission]:
    return day_of_traffic(SHOP, FIRST_DAY, SERVED, Mix(bad=0, forms=(1, 0, 0)))


def events(day: list[Emission], event_type: str) -> list[tuple[int, dict[str, object]]]:
    decoded = ((sent.at, msgspec.json.decode(sent.value)) for sent in day)
    return [(at, event["payload"]) for at, event in decoded if event["event_type"] == event_type]


def test_a_share_of_the_orders_escalates_hours_later_by_its_own_customer(day: list[Emission]) -> None:
    placed = {payload["order_id"]: (at, payload) for at, payload in events(day, "order.placed")}
    tickets = events(day, TICKET)
    assert 0.5 * ESCALATED < len(tickets) / len(placed) < 2 * ESCALATED
    end = (midnight(FIRST_DAY) + DAY_S) * 1_000
    for at, payload in tickets:
        if "order_id" in payload:
            ordered_at, order = placed[payload["order_id"]]
            assert payload["customer_id"] == order["customer_id"]
            assert ordered_at + 3_600_000 <= at < end or at == end - 1


def test_a_ticket_of_the_traffic_is_one_that_the_agent_reads(day: list[Emission]) -> None:
    sent = next(each for each in day if TICKET.encode() in each.value)
    event, _, _ = decode(sent.value)
    assert Ticket.of(event).ticket_id.startswith("ticket-")


def test_tickets_change_nothing_else_of_a_day(day: list[Emission]) -> None:
    without = day_of_traffic(
        SHOP,
        FIRST_DAY,
        Audience(frozenset({"order.placed"}), frozenset({TICKET})),
        Mix(bad=0, forms=(1, 0, 0)),
    )
    assert without == [sent for sent in day if TICKET.encode() not in sent.value]
