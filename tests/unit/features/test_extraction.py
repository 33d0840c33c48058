"""What an event adds to the features, and what adds nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.envelope import Envelope
from features.extraction import LAST_TILE, increments_of
from features.retail import DEFINITIONS
from features.views import DAY_S

AT = 1_530_000_000_123
SECOND = 1_530_000_000
DAY = SECOND // DAY_S
ORDER = {
    "order_id": "o-1",
    "customer_id": "c-1",
    "terminal_id": "t-1",
    "amount": 12.5,
    "currency": "GBP",
}

# view, entity, measure, tile, n, amount
Told = tuple[str, str, int, int, int, int]


def told(event_type: str, payload: dict[str, Any], at: int = AT) -> list[Told]:
    event = Envelope(
        event_id="e-1",
        event_type=event_type,
        source="shop",
        version="1.0.0",
        occurred_at=at,
        tenant_id="acme",
        payload=payload,
    )
    found = increments_of(event, DEFINITIONS)
    assert all((each.tenant_id, each.event_time) == ("acme", at) for each in found)
    return [(each.view, each.entity_id, each.measure, each.tile, each.n, each.amount) for each in found]


_OF_CUSTOMER = ("customer_orders", "c-1", 0, SECOND, 1, 1_250)
_OF_TERMINAL = ("terminal_orders", "t-1", 0, SECOND, 1, 0)


@pytest.mark.parametrize(
    ("event_type", "payload", "expected"),
    [
        pytest.param(
            "order.placed",
            ORDER,
            [_OF_CUSTOMER, _OF_TERMINAL],
            id="an order is its customer's and its terminal's",
        ),
        pytest.param(
            "order.placed",
            ORDER
            | {
                "items": [
                    {"sku": "a", "quantity": 2},
                    {"sku": "b", "quantity": 1},
                    {"sku": "a", "quantity": 3},
                ]
            },
            [
                _OF_CUSTOMER,
                _OF_TERMINAL,
                ("sku_demand", "a", 0, DAY, 1, 2),
                ("sku_demand", "b", 0, DAY, 1, 1),
                ("sku_demand", "a", 0, DAY, 1, 3),
            ],
            id="and each of its items a product's, by the day",
        ),
        pytest.param(
            "order.placed",
            ORDER | {"items": [{"quantity": 1}, {"sku": "b"}, "c", {"sku": "", "quantity": 1}]},
            [_OF_CUSTOMER, _OF_TERMINAL],
            id="items without a product or a quantity are nobody's",
        ),
        pytest.param("order.placed", ORDER | {"items": None}, [_OF_CUSTOMER, _OF_TERMINAL], id="no items"),
        pytest.param(
            "order.fraud_confirmed",
            {"order_id": "o-1", "terminal_id": "t-1"},
            [("terminal_orders", "t-1", 1, SECOND, 1, 0)],
            id="a label is its terminal's, at the time at which it was given",
        ),
        pytest.param("order.fraud_confirmed", {"order_id": "o-1"}, [], id="a label without a terminal"),
        pytest.param(
            "order.fraud_confirmed",
            {"order_id": "o-1", "terminal_id": None},
            [],
            id="a label with null for it",
        ),
        pytest.param(
            "cart.updated",
            {"cart_id": "x", "customer_id": "c-1", "items": []},
            [("customer_activity", "c-1", 0, SECOND, 1, 0)],
            id="one measure of several types of event",
        ),
        pytest.param(
            "support.ticket.escalated",
            {"ticket_id": "s-1", "customer_id": "c-1"},
            [
                ("customer_support", "c-1", 0, SECOND, 1, 0),
                ("ticket_history", "s-1", 0, SECOND, 1, 0),
            ],
            id="an escalation is the customer's and the ticket's",
        ),
        pytest.param(
            "order.returned",
            {"order_id": "o-1", "customer_id": "c-1"},
            [("customer_complaints", "c-1", 0, SECOND, 1, 0)],
            id="what a customer sends back is theirs",
        ),
        pytest.param(
            "support.ticket.opened",
            {"ticket_id": "s-1", "customer_id": "c-1"},
            [("customer_complaints", "c-1", 1, SECOND, 1, 0)],
            id="and so is what they ask of support",
        ),
        pytest.param("inventory.updated", {"sku": "a", "quantity": 1}, [], id="nothing is made of it"),
        pytest.param("loyalty.joined", {}, [], id="nobody declared it"),
    ],
)
def test_what_an_event_adds(event_type: str, payload: dict[str, Any], expected: list[Told]) -> None:
    assert told(event_type, payload) == expected


@pytest.mark.parametrize(
    ("amount", "hundredths"),
    [
        pytest.param(0, [0], id="nothing paid is an order still"),
        pytest.param(7, [700], id="a whole number"),
        pytest.param(0.1 + 0.2, [30], id="to the nearest hundredth"),
        pytest.param(199.99, [19_999], id="as it is written, whatever the float"),
        pytest.param(1e12, [10**14], id="the largest that a payload may hold"),
        pytest.param(1e15, [], id="larger than a float holds to the hundredth"),
        pytest.param(float("inf"), [], id="infinite"),
        pytest.param(float("nan"), [], id="not a number"),
        pytest.param(True, [], id="true"),
        pytest.param("12", [], id="a text"),
        pytest.param(None, [], id="missing"),
    ],
)
def test_amounts_are_whole_numbers_of_hundredths(amount: object, hundredths: list[int]) -> None:
    found = told("order.placed", ORDER | {"amount": amount})
    assert [each[5] for each in found if each[0] == "customer_orders"] == hundredths
    assert _OF_TERMINAL in found


@given(st.integers(0, 10**14))
def test_hundredths_written_as_a_fraction_come_back(hundredths: int) -> None:
    (found, _) = told("order.placed", ORDER | {"amount": hundredths / 100})
    assert found[5] == hundredths


@pytest.mark.parametrize(
    ("at", "tiles"),
    [
        pytest.param(0, [0, 0], id="1970"),
        pytest.param(LAST_TILE * 1_000 + 999, [LAST_TILE] * 2, id="the last second of 2106 that a row holds"),
        pytest.param(LAST_TILE * 1_000 + 1_000, [], id="a second later"),
        pytest.param(253_402_300_799_999, [], id="the end of the year 9999"),
    ],
)
def test_times_that_a_row_can_hold(at: int, tiles: list[int]) -> None:
    assert [each[3] for each in told("order.placed", ORDER, at)] == tiles
