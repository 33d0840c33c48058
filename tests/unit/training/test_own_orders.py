"""The shop's own orders and the labels that came for them, from events in the store to training data."""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from events.errors import ConfigError
from features.offline.store import OfflineStore, open_offline
from features.retail import DEFINITIONS
from stack.retail import TENANT
from tests.trained import UNTIL, remember, small_history, small_store
from training.own_orders import MATURITY_DAYS, OwnOrders, own_orders
from training.stored import stored_in
from training.transactions import DAY_S, day_number

DAY = date(2026, 2, 1)
"""The day of the order at hand."""
ORDER = {"customer_id": "c-1", "terminal_id": "t-1", "amount": 12.34, "currency": "GBP"}


def event(kind: str, event_id: str, day: float, payload: dict[str, Any], tenant: str = TENANT) -> bytes:
    """An event that happens so many days after the beginning of `DAY`."""
    return msgspec.json.encode(
        {
            "event_id": event_id,
            "event_type": kind,
            "source": "tests",
            "version": "1.0.0",
            "occurred_at": int((day_number(DAY) + day) * DAY_S * 1_000),
            "tenant_id": tenant,
            "payload": payload,
        }
    )


def placed(order_id: str, day: float = 0.5, event_id: str = "", **payload: Any) -> bytes:
    return event("order.placed", event_id or f"e-{order_id}", day, {**ORDER, "order_id": order_id, **payload})


def confirmed(order_id: str, day: float, event_id: str = "", tenant: str = TENANT, **payload: Any) -> bytes:
    name = event_id or f"f-{order_id}"
    return event("order.fraud_confirmed", name, day, {"order_id": order_id, **payload}, tenant)


@pytest.fixture
def store(tmp_path: Path) -> Iterable[OfflineStore]:
    made = open_offline(f"sqlite:///{tmp_path}/features.db")
    made.create(DEFINITIONS)
    yield made
    made.close()


def known(store: OfflineStore, days: int) -> OwnOrders:
    """What is known before the day that begins so many days after `DAY`."""
    return own_orders(store, TENANT, DAY + timedelta(days=days))


LATER = placed("later", 30.5)
"""Without a newer event the store itself ends there."""


@pytest.mark.parametrize(
    ("events", "days", "expected"),
    [
        pytest.param([], 20, 0, id="an order of which nothing was confirmed is honest once it has matured"),
        pytest.param([confirmed("o", 5)], 20, 1, id="a confirmation makes it fraud"),
        pytest.param([confirmed("o", 12)], 20, 1, id="one that came late, before the training, counts"),
        pytest.param([confirmed("o", 12)], 12, 0, id="one that came on the day of the training does not"),
        pytest.param([confirmed("o", 5), confirmed("o", 6, "again")], 20, 1, id="two confirmations are one"),
        pytest.param([confirmed("o", 0.1)], 20, 1, id="a label may overtake its order"),
        pytest.param([confirmed("x", 5)], 20, 0, id="a label of an unknown order is no other order's"),
        pytest.param([confirmed("o", 5, tenant="other")], 20, 0, id="another tenant's label is not ours"),
        pytest.param([confirmed("o", 5, terminal_id="t-1")], 20, 1, id="with a terminal it is a feature too"),
    ],
)
def test_an_order_is_fraud_if_that_was_confirmed_before_the_training(
    store: OfflineStore, events: list[bytes], days: int, expected: int
) -> None:
    remember(store, [placed("o"), *events, LATER])
    own = known(store, days)
    assert own.transactions.fraud.tolist() == [expected]
    assert own.transactions.amount_cents.tolist() == [1_234]
    assert (own.transactions.customers.ids, own.transactions.terminals.ids) == (("c-1",), ("t-1",))
    assert own.transactions.time.tolist() == [int((day_number(DAY) + 0.5) * DAY_S)]


def test_an_order_is_left_out_until_it_has_matured(store: OfflineStore) -> None:
    remember(store, [placed("o"), placed("young", 1.5), confirmed("young", 2), LATER])
    first = known(store, 1 + MATURITY_DAYS)
    assert (len(first.transactions), first.end, first.unmatched) == (1, DAY + timedelta(days=1), 1)
    assert known(store, 2 + MATURITY_DAYS).transactions.fraud.tolist() == [0, 1]
    with pytest.raises(ConfigError, match=r"no order of retailpulse before 2026-02-01: labels are known"):
        known(store, MATURITY_DAYS)


@pytest.mark.parametrize(("until", "end"), [(None, 13), (40, 14), (18, 11)])
def test_labels_are_taken_up_to_the_newest_event_at_most(
    store: OfflineStore, until: int | None, end: int
) -> None:
    orders = [placed(f"o-{day}", day + 0.5) for day in range(21)]
    remember(store, orders)
    own = own_orders(store, TENANT, DAY + timedelta(days=until) if until is not None else None)
    assert (own.end, len(own.transactions)) == (DAY + timedelta(days=end), end)


def test_one_order_that_is_sent_under_two_event_ids_is_one_row(store: OfflineStore) -> None:
    remember(store, [placed("o", 0.25), placed("o", 0.5, "again", amount=99.0), placed("o", 0.25), LATER])
    assert known(store, 20).transactions.amount_cents.tolist() == [1_234]


def test_a_store_without_orders_is_refused_with_the_ways_out(store: OfflineStore) -> None:
    with pytest.raises(ConfigError, match=r"no order of retailpulse by its id.*--data FILE"):
        own_orders(store, TENANT, None)


def test_features_are_of_the_time_of_the_order_and_see_no_later_one(store: OfflineStore) -> None:
    remember(store, [placed("o", 0.5), placed("p", 0.75), confirmed("o", 5, terminal_id="t-1"), LATER])
    own = known(store, 20).transactions
    names = ("customer_count_1d", "terminal_risk_30d")
    places = own.time.argsort()
    assert stored_in(store, TENANT)(names, own, places).tolist() == [[0.0, 0.0], [1.0, 0.0]]


def test_the_stores_orders_are_those_of_the_shop_with_all_their_labels() -> None:
    own, shop = own_orders(small_store(), TENANT, UNTIL), small_history()
    assert own.end == UNTIL - timedelta(days=MATURITY_DAYS)
    assert own.unmatched == 0
    assert own.transactions.digest() == shop.before(own.end).digest()
