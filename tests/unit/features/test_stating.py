"""What an event states for the tables of batch views, and which of it becomes a row."""

from typing import Any

import pytest

from events.envelope import Envelope
from features.offline.batch_tables import Version
from features.offline.stated import rows_of
from features.retail import DEFINITIONS, PRODUCT_CATALOGUE
from features.stating import LONGEST_TEXT, Statement, statements_of

AT = 1_795_266_000_000
DAY = 86_400_000


def order(*items: Any, event_type: str = "order.placed") -> Envelope:
    return Envelope(
        event_id="e-1",
        event_type=event_type,
        source="shop.web",
        version="1.0.0",
        occurred_at=AT,
        tenant_id="acme",
        payload={"items": list(items)},
    )


def said(category: str, at: int = AT, sku: str = "mug") -> Statement:
    return Statement("product_catalogue", "acme", sku, at, (category,))


def row(category: str, at: int, written: int = 0) -> Version:
    return Version("acme", "mug", at, written, (category,))


def test_each_item_states_the_category_of_its_product() -> None:
    items = ({"sku": "mug", "category": "home"}, {"sku": "ball", "category": "toys"})
    assert statements_of(order(*items), DEFINITIONS) == (said("home"), said("toys", sku="ball"))


@pytest.mark.parametrize(
    "item",
    [
        pytest.param({"sku": "mug"}, id="no category"),
        pytest.param({"sku": "mug", "category": None}, id="none by name"),
        pytest.param({"category": "home"}, id="no product"),
        pytest.param({"sku": "", "category": "home"}, id="a product without a name"),
        pytest.param({"sku": "mug", "category": " "}, id="blank"),
        pytest.param({"sku": "mug", "category": "ho\0me"}, id="what PostgreSQL does not store"),
        pytest.param({"sku": "mug", "category": "\ud800"}, id="half a character"),
        pytest.param({"sku": "mug", "category": "x" * (LONGEST_TEXT + 1)}, id="too long"),
        pytest.param("mug", id="no object"),
    ],
)
def test_what_is_of_no_use_states_nothing(item: Any) -> None:
    assert statements_of(order(item), DEFINITIONS) == ()


def test_another_type_of_event_states_nothing() -> None:
    item = {"sku": "mug", "category": "home"}
    assert statements_of(order(item, event_type="cart.updated"), DEFINITIONS) == ()


def test_what_is_known_already_is_not_written_again() -> None:
    known = [row("home", AT - DAY)]
    assert rows_of(PRODUCT_CATALOGUE, [said("home")], known, now=5) == []


def test_a_change_is_a_row_that_holds_from_the_events_time() -> None:
    known = [row("home", AT - DAY)]
    stated = [said("gifts", AT + 1), said("gifts", AT), said("gifts", AT + 2)]
    assert rows_of(PRODUCT_CATALOGUE, stated, known, now=5) == [row("gifts", AT, written=5)]


def test_a_row_is_written_again_before_it_goes_from_the_online_tier() -> None:
    half = PRODUCT_CATALOGUE.ttl_days * DAY // 2
    known = [row("home", AT - half)]
    stated = [said("home", AT - 1), said("home")]
    assert rows_of(PRODUCT_CATALOGUE, stated, known, now=5) == [row("home", AT, written=5)]


def test_a_late_statement_is_compared_with_what_held_at_its_time() -> None:
    known = [row("gifts", AT), row("home", AT - 2 * DAY)]
    assert rows_of(PRODUCT_CATALOGUE, [said("home", AT - DAY)], known, now=5) == []
    assert rows_of(PRODUCT_CATALOGUE, [said("gifts", AT - DAY)], known, now=5) == [
        row("gifts", AT - DAY, written=5)
    ]


def test_of_two_statements_for_one_time_the_first_counts() -> None:
    assert rows_of(PRODUCT_CATALOGUE, [said("gifts")], [row("home", AT)], now=5) == []
    assert rows_of(PRODUCT_CATALOGUE, [said("gifts"), said("home")], [], now=5) == [row("gifts", AT, 5)]
