"""Which values the fraud model sees: from the order itself, and over which windows of whose past orders.

The windows are those of Le Borgne et al., *Reproducible Machine Learning for Credit Card Fraud Detection*
(2022), chapter 3, with one difference: they end before the order at hand, since that is all a store can know
when the order arrives.
"""

import hashlib
from dataclasses import asdict, dataclass
from typing import Literal

import msgspec

CUSTOMER = "customer"
TERMINAL = "terminal"
WINDOWS_DAYS = (1, 7, 30)
LABEL_DELAY_DAYS = 7
"""How long after an order it is known whether it was fraud."""

ORDER_FEATURES = ("amount", "weekend", "night")
DEFAULT = 0.0
"""What a value is without a row: the same as for a customer or terminal without past orders."""


@dataclass(frozen=True, slots=True)
class Windowed:
    """An aggregate of an entity's orders in `[t - delay_days - days, t - delay_days)`, `t` the order's time.

    `count` of orders, `mean_amount` in units of the currency, `risk` the share that was fraud (0 to 1).
    """

    name: str
    entity: str
    aggregate: Literal["count", "mean_amount", "risk"]
    days: int
    delay_days: int = 0


WINDOWED = tuple(
    feature
    for days in WINDOWS_DAYS
    for feature in (
        Windowed(f"customer_count_{days}d", CUSTOMER, "count", days),
        Windowed(f"customer_mean_amount_{days}d", CUSTOMER, "mean_amount", days),
        Windowed(f"terminal_count_{days}d", TERMINAL, "count", days, LABEL_DELAY_DAYS),
        Windowed(f"terminal_risk_{days}d", TERMINAL, "risk", days, LABEL_DELAY_DAYS),
    )
)


def of(entity: str) -> tuple[Windowed, ...]:
    """The features that stand in the rows of `entity`, in the model's order."""
    return tuple(feature for feature in WINDOWED if feature.entity == entity)


CUSTOMER_FEATURES = tuple(feature.name for feature in of(CUSTOMER))
TERMINAL_FEATURES = tuple(feature.name for feature in of(TERMINAL))
FEATURES = ORDER_FEATURES + CUSTOMER_FEATURES + TERMINAL_FEATURES
"""The columns of the model's matrix."""


def _hash() -> str:
    definitions = {
        "order": ORDER_FEATURES,
        "windowed": [asdict(feature) for feature in of(CUSTOMER) + of(TERMINAL)],
        "default": DEFAULT,
    }
    return hashlib.sha256(msgspec.json.encode(definitions)).hexdigest()[:12]


FEATURE_HASH = _hash()
"""Changes with any definition: a model is never served with features other than those it was trained on."""
