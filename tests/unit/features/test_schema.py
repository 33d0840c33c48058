"""What definitions answer, and when their hashes change."""

from dataclasses import replace
from typing import Any

import pytest

from events.errors import ConfigError
from features.retail import CUSTOMER_ORDERS, DEFINITIONS, ENTITIES, ORDER_REQUEST, TERMINAL_ORDERS
from features.schema import Aggregate, Definitions, Measure, layout

FEATURES = ("customer_mean_amount_7d", "amount")


def test_a_feature_is_found_in_its_view() -> None:
    view, place = DEFINITIONS.locate("terminal_risk_7d")
    assert (view, view.names[place]) == (TERMINAL_ORDERS, "terminal_risk_7d")
    assert DEFINITIONS.view("terminal_orders") is view


def test_a_misspelt_name_is_told_the_nearest() -> None:
    with pytest.raises(ConfigError, match="lifetime_valeu: no such feature; nearest: lifetime_value"):
        DEFINITIONS.locate("lifetime_valeu")
    with pytest.raises(ConfigError, match="terminals_order: no such view; nearest: terminal_orders"):
        DEFINITIONS.view("terminals_order")


def changed(**changes: Any) -> Definitions:
    return Definitions.of(ENTITIES, [replace(CUSTOMER_ORDERS, **changes), ORDER_REQUEST])


_SAME = {
    "nobody's words": {"description": "other words", "owner": "somebody else"},
    "how fresh it should be": {"freshness_s": 5},
    "how long increments stay apart": {"slack_days": 9},
}
_OTHER = {
    "how long it holds": {"ttl_days": 900},
    "the resolution": {"resolution_s": 60},
    "what is summed": {"measures": (Measure("orders", "order.placed", of="amount", decimals=3),)},
    "the windows": {"features": tuple(replace(each, delay_days=1) for each in CUSTOMER_ORDERS.features[:6])},
}


@pytest.mark.parametrize("changes", [pytest.param(each, id=name) for name, each in _SAME.items()])
def test_hashes_stay_with_what_changes_no_value(changes: dict[str, Any]) -> None:
    assert changed(**changes).hash == changed().hash
    assert changed(**changes).hash_of(FEATURES) == changed().hash_of(FEATURES)


@pytest.mark.parametrize("changes", [pytest.param(each, id=name) for name, each in _OTHER.items()])
def test_hashes_change_with_what_changes_values(changes: dict[str, Any]) -> None:
    assert changed(**changes).hash != changed().hash
    assert changed(**changes).hash_of(FEATURES) != changed().hash_of(FEATURES)


def test_a_models_hash_is_of_its_features_alone_and_of_their_order() -> None:
    more = changed(features=(Aggregate("new", "count", "orders"), *CUSTOMER_ORDERS.features))
    assert more.hash != changed().hash
    assert more.hash_of(FEATURES) == changed().hash_of(FEATURES)
    assert changed().hash_of(FEATURES[::-1]) != changed().hash_of(FEATURES)
    assert changed().hash_of(["amount"]) == DEFINITIONS.hash_of(["amount"])


@pytest.mark.parametrize(
    ("changes", "readable"),
    [
        pytest.param(
            {"features": CUSTOMER_ORDERS.features[:1]}, True, id="other features of the same measures"
        ),
        pytest.param({"ttl_days": 900}, True, id="another time for which it holds"),
        pytest.param({"resolution_s": 60}, False, id="another resolution"),
        pytest.param({"measures": TERMINAL_ORDERS.measures}, False, id="other measures"),
    ],
)
def test_whether_increments_stored_before_can_be_read(changes: dict[str, Any], readable: bool) -> None:
    assert (layout(replace(CUSTOMER_ORDERS, **changes)) == layout(CUSTOMER_ORDERS)) == readable


def test_hashes_have_twelve_hex_digits() -> None:
    for found in (DEFINITIONS.hash, DEFINITIONS.hash_of(FEATURES), layout(CUSTOMER_ORDERS)):
        assert len(found) == 12
        assert int(found, 16) >= 0
