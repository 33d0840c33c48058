"""Inputs of the fraud model, and their defaults if the feature store has no value.

A version says itself which features it was trained on (`models.recipe`); `NEEDS` are those that the next one
will be trained on.
"""

from features.contract import Contract, Need
from features.retail import DEFINITIONS, WINDOWS_DAYS

CUSTOMER = "customer"
TERMINAL = "terminal"
ENTITIES = (CUSTOMER, TERMINAL)
"""Whom an order names."""


def _windowed(entity: str, *aggregates: str) -> tuple[str, ...]:
    return tuple(f"{entity}_{aggregate}_{days}d" for days in WINDOWS_DAYS for aggregate in aggregates)


ORDER_FEATURES = ("amount", "weekend", "night")
"""Out of the order itself."""

CUSTOMER_FEATURES = _windowed(CUSTOMER, "count", "mean_amount")
TERMINAL_FEATURES = _windowed(TERMINAL, "count", "risk")

# a shop does not stop for a customer that it sees for the first time: an unknown one is one without a past
NEEDS = Contract.of(
    DEFINITIONS,
    (Need(name, on_missing="default", on_stale="serve") for name in CUSTOMER_FEATURES + TERMINAL_FEATURES),
    payload=ORDER_FEATURES,
)
STORED = NEEDS.stored
FEATURES = NEEDS.names
"""The columns of the model's matrix."""

FEATURE_HASH = NEEDS.hash
"""Changes with any definition: a model is never served with features other than those it was trained on."""
