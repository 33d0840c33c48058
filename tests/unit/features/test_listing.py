"""What an operator reads of the definitions."""

import re

from typer.testing import CliRunner

from commands.features import app
from features.listing import listing
from features.retail import DEFINITIONS


def line_of(feature: str) -> str:
    (found,) = (line for line in listing(DEFINITIONS) if line.startswith(f"    {feature} "))
    return re.sub(r"  +", "  ", found.strip())


def test_each_feature_says_how_it_is_made() -> None:
    assert line_of("customer_mean_amount_7d") == (
        "customer_mean_amount_7d  mean of orders.amount, 7 d  default 0  mean amount"
    )
    assert line_of("terminal_count_1d") == (
        "terminal_count_1d  count of orders, 1 d until 7 d before  default 0  orders"
    )
    assert line_of("terminal_risk_30d").startswith(
        "terminal_risk_30d  frauds, 30 d / orders, 30 d until 7 d before  default 0  "
    )
    assert line_of("session_recency").startswith(
        "session_recency  since the last of visits, in seconds  default -1  "
    )
    assert line_of("lifetime_value").startswith("lifetime_value  sum of orders.amount, ever  default 0  ")
    assert line_of("product_category").startswith("product_category  text  default unknown  ")


def test_the_command_lists_every_feature_of_every_view() -> None:
    said = CliRunner().invoke(app, ["list"], catch_exceptions=False).output
    assert said.startswith(f"28 features in 10 views, definitions {DEFINITIONS.hash}\n")
    for view in DEFINITIONS.views:
        assert f"\n{view.name}, of " in said
        for name in view.names:
            assert f"\n    {name} " in said
    assert "from page.viewed, cart.updated, clickstream.raw; holds 90 d, fresh within 30 s" in said
