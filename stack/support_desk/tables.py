"""The support desk's SQL tables."""

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

METADATA = MetaData()

ORDERS = Table(
    "desk_orders",
    METADATA,
    Column("tenant_id", String, primary_key=True),
    Column("order_id", String, primary_key=True),
    Column("customer_id", String, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("placed_at", BigInteger, nullable=False),
)

TICKETS = Table(
    "desk_tickets",
    METADATA,
    Column("tenant_id", String, primary_key=True),
    Column("ticket_id", String, primary_key=True),
    # a ticket may be escalated again, and is then answered again
    Column("event_id", String, primary_key=True),
    Column("customer_id", String, nullable=False),
    Column("order_id", String),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("escalated_at", BigInteger, nullable=False),
)

ACTIONS = Table(
    "desk_actions",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("key", String, unique=True, nullable=False),
    Column("tenant_id", String, nullable=False),
    Column("ticket_id", String, nullable=False),
    Column("event_id", String, nullable=False),
    Column("customer_id", String, nullable=False),
    Column("tool", String, nullable=False),
    Column("order_id", String),
    Column("amount_minor", BigInteger),
    Column("currency", String(3)),
    Column("reason", Text, nullable=False),
    Column("done_at", BigInteger, nullable=False),
    Index("desk_actions_of_an_order", "tenant_id", "order_id"),
)

ENDS = Table(
    "desk_ends",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("key", String, unique=True, nullable=False),
    Column("tenant_id", String, nullable=False),
    Column("ticket_id", String, nullable=False),
    Column("event_id", String, nullable=False),
    Column("how", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
)
