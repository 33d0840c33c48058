"""The features of RetailPulse: which there are, and that they are the same in every process."""

import subprocess
import sys

import pytest

from features.retail import CUSTOMER_ORDERS, DEFINITIONS, SKU_DEMAND, TERMINAL_ORDERS
from features.schema import StreamView


@pytest.mark.parametrize(
    "feature",
    [
        *("amount", "weekend", "night", "lifetime_value", "order_count", "days_since_last_order"),
        *(f"customer_{what}_{days}d" for what in ("count", "mean_amount") for days in (1, 7, 30)),
        *(f"terminal_{what}_{days}d" for what in ("count", "risk") for days in (1, 7, 30)),
        *("session_recency", "prev_escalations", "ticket_escalations", "product_category"),
        *("demand_1d", "demand_7d", "demand_28d"),
    ],
)
def test_it_is_shipped(feature: str) -> None:
    view, place = DEFINITIONS.locate(feature)
    assert view.names[place] == feature


@pytest.mark.parametrize(
    ("view", "tiles"),
    [
        pytest.param(CUSTOMER_ORDERS, 30 * 86_400, id="thirty days of seconds"),
        pytest.param(TERMINAL_ORDERS, 37 * 86_400, id="thirty days, seven days late"),
        pytest.param(SKU_DEMAND, 28, id="twenty-eight days of days"),
    ],
)
def test_how_far_back_a_view_looks(view: StreamView, tiles: int) -> None:
    assert view.horizon_tiles == tiles


def test_another_process_has_the_same_hash() -> None:
    code = "from features.retail import DEFINITIONS; print(DEFINITIONS.hash)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == DEFINITIONS.hash
