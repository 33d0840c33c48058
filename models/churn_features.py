"""Inputs of the churn model, and their defaults if the feature store has no value.

A version says itself which features it was trained on (`models.recipe`); `NEEDS` are those that the next one
will be trained on.
"""

from features.contract import Contract, Need
from features.retail import DEFINITIONS

CUSTOMER = "customer"
RECENCY = "days_since_last_order"
ORDERS = "order_count"

NEEDS = Contract.of(
    DEFINITIONS,
    (
        # of somebody who never ordered, or years ago, nothing can be told from how they order
        Need(RECENCY, on_missing="fallback"),
        Need("customer_count_7d"),
        Need("customer_count_30d"),
        Need(ORDERS),
        Need("customer_mean_amount_30d"),
        Need("lifetime_value"),
        # who never sent anything back, asked for anything or was seen to look round has no row there
        Need("customer_returns_90d"),
        Need("customer_tickets_90d"),
        Need("prev_escalations"),
        Need("session_recency"),
    ),
)
"""Recency, frequency, monetary value, and what went wrong."""
