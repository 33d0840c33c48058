"""RetailPulse's feature definitions.

The windows of customers and terminals are those of Le Borgne et al., *Reproducible Machine Learning for
Credit Card Fraud Detection* (2022), chapter 3, with one difference: they end before the order at hand, since
that is all that can be known when it arrives.
"""

from features.schema import (
    Aggregate,
    BatchView,
    Definitions,
    Entity,
    Field,
    Measure,
    Origin,
    RequestView,
    StreamView,
)

WINDOWS_DAYS = (1, 7, 30)
LABEL_DELAY_DAYS = 7
"""By then it is known of nearly every order whether it was fraud."""
NEVER = -1.0
"""A recency where nothing came before: no recency is negative."""

ENTITIES = (
    Entity("customer", "customer_id", "who buys"),
    Entity("terminal", "terminal_id", "where a card is held to"),
    Entity("sku", "sku", "what is sold"),
    Entity("ticket", "ticket_id", "what a customer asked of support"),
)


def _customer_window(days: int) -> tuple[Aggregate, Aggregate]:
    return (
        Aggregate(f"customer_count_{days}d", "count", "orders", days=days, description="orders"),
        Aggregate(f"customer_mean_amount_{days}d", "mean", "orders", days=days, description="mean amount"),
    )


def _terminal_window(days: int) -> tuple[Aggregate, Aggregate]:
    delay = LABEL_DELAY_DAYS
    return (
        Aggregate(
            f"terminal_count_{days}d", "count", "orders", days=days, delay_days=delay, description="orders"
        ),
        # a label counts from when it is known: one that comes after seven days meets the order that it is of
        Aggregate(
            f"terminal_risk_{days}d",
            "ratio",
            "frauds",
            per="orders",
            days=days,
            per_delay_days=delay,
            description="frauds that became known, by the orders of a label's delay before",
        ),
    )


CUSTOMER_ORDERS = StreamView(
    name="customer_orders",
    entity="customer",
    measures=(Measure("orders", "order.placed", of="amount", decimals=2),),
    features=(
        *(feature for days in WINDOWS_DAYS for feature in _customer_window(days)),
        Aggregate("lifetime_value", "sum", "orders", description="all that was paid"),
        Aggregate("order_count", "count", "orders", description="all orders"),
        Aggregate(
            "days_since_last_order",
            "recency",
            "orders",
            default=NEVER,
            unit="days",
            description="since the order before",
        ),
    ),
    ttl_days=1_095,
    freshness_s=60,
    owner="fraud",
    description="what a customer ordered",
)

TERMINAL_ORDERS = StreamView(
    name="terminal_orders",
    entity="terminal",
    measures=(Measure("orders", "order.placed"), Measure("frauds", "order.fraud_confirmed")),
    features=tuple(feature for days in WINDOWS_DAYS for feature in _terminal_window(days)),
    ttl_days=365,
    freshness_s=60,
    owner="fraud",
    description="what went through a terminal, and what of it was fraud",
)

CUSTOMER_ACTIVITY = StreamView(
    name="customer_activity",
    entity="customer",
    measures=(Measure("visits", ("page.viewed", "cart.updated", "clickstream.raw")),),
    features=(
        Aggregate(
            "session_recency", "recency", "visits", default=NEVER, description="since the last sign of them"
        ),
    ),
    slack_days=1,
    ttl_days=90,
    freshness_s=30,
    owner="churn",
    description="when a customer was last in the shop",
)

CUSTOMER_SUPPORT = StreamView(
    name="customer_support",
    entity="customer",
    measures=(Measure("escalations", "support.ticket.escalated"),),
    features=(
        Aggregate("prev_escalations", "count", "escalations", description="tickets of theirs that escalated"),
    ),
    ttl_days=1_095,
    freshness_s=300,
    owner="support",
    description="what a customer had of support",
)

CUSTOMER_COMPLAINTS = StreamView(
    name="customer_complaints",
    entity="customer",
    measures=(Measure("returns", "order.returned"), Measure("tickets", "support.ticket.opened")),
    features=(
        Aggregate("customer_returns_90d", "count", "returns", days=90, description="orders sent back"),
        Aggregate("customer_tickets_90d", "count", "tickets", days=90, description="asked of support"),
    ),
    ttl_days=365,
    freshness_s=300,
    owner="churn",
    description="what a customer was not content with",
)

TICKET_HISTORY = StreamView(
    name="ticket_history",
    entity="ticket",
    measures=(Measure("escalations", "support.ticket.escalated"),),
    features=(
        Aggregate("ticket_escalations", "count", "escalations", description="how often it escalated before"),
    ),
    ttl_days=365,
    freshness_s=300,
    owner="support",
    description="what became of a ticket",
)

SKU_DEMAND = StreamView(
    name="sku_demand",
    entity="sku",
    measures=(Measure("sold", "order.placed", of="quantity", each="items"),),
    features=tuple(
        Aggregate(f"demand_{days}d", "sum", "sold", days=days, unit="pieces", description="by whole days")
        for days in (1, 7, 28)
    ),
    resolution_s=86_400,
    ttl_days=365,
    freshness_s=3_600,
    owner="demand",
    description="how much of a product is sold a day",
)

SKU_PRICES = StreamView(
    name="sku_prices",
    entity="sku",
    # a view of its own: another measure in sku_demand would make what is stored of it unreadable
    measures=(Measure("lines", "order.placed", of="unit_price", decimals=2, each="items"),),
    features=(
        Aggregate("mean_price_28d", "mean", "lines", days=28, description="mean price of an order's line"),
    ),
    resolution_s=86_400,
    ttl_days=365,
    freshness_s=3_600,
    owner="demand",
    description="what a product is sold for",
)

PRODUCT_CATALOGUE = BatchView(
    name="product_catalogue",
    entity="sku",
    table="product_catalogue",
    fields=(Field("product_category", "text", "unknown", "where it stands in the shop"),),
    ttl_days=30,
    freshness_s=7_200,
    owner="demand",
    description="what the shop knows of a product",
    # the price is no field of it: it changes often, and sku_prices has it as of any time
    origin=Origin("order.placed", ("category",), each="items"),
)

ORDER_REQUEST = RequestView(
    name="order_request",
    fields=(
        Field("amount", "number", 0.0, "what is paid"),
        Field("weekend", "number", 0.0, "1 on a Saturday or Sunday, UTC"),
        Field("night", "number", 0.0, "1 from 00:00 to 06:59:59, UTC"),
    ),
    owner="fraud",
    description="what the order itself says",
)

DEFINITIONS = Definitions.of(
    ENTITIES,
    (
        CUSTOMER_ORDERS,
        TERMINAL_ORDERS,
        CUSTOMER_ACTIVITY,
        CUSTOMER_SUPPORT,
        CUSTOMER_COMPLAINTS,
        TICKET_HISTORY,
        SKU_DEMAND,
        SKU_PRICES,
        PRODUCT_CATALOGUE,
        ORDER_REQUEST,
    ),
)
