"""The tables as they were before revisions existed.

A copy that is never edited: later revisions change what this one made. A table that is there stays as it is.
"""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

revision = "0001"
down_revision = None

METADATA = MetaData()


def _key(name: str, length: int = 256) -> Column[str]:
    return Column(name, String(length), primary_key=True)


def _number(name: str, *, key: bool = False, optional: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=key, autoincrement=False, nullable=optional and not key)


def _text(name: str, length: int = 256) -> Column[str]:
    return Column(name, String(length), nullable=False)


Table(
    "feature_entities",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    _text("view", 128),
    _text("tenant_id"),
    _text("entity_id"),
    UniqueConstraint("view", "tenant_id", "entity_id"),
)
Table(
    "feature_events",
    METADATA,
    Column("partition", SmallInteger, primary_key=True, autoincrement=False),
    _number("offset", key=True),
    _text("event_id"),
    Column("digest", LargeBinary(16), unique=True),
    _number("event_time"),
    _number("created_at"),
    sqlite_with_rowid=False,
)
Table(
    "feature_increments",
    METADATA,
    _number("entity", key=True),
    Column("partition", SmallInteger, primary_key=True, autoincrement=False),
    _number("offset", key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("measure", SmallInteger, nullable=False),
    _number("tile"),
    Column("n", Integer, nullable=False),
    _number("amount"),
    Index("feature_increments_by_position", "partition", "offset"),
    sqlite_with_rowid=False,
)
Table(
    "feature_offsets",
    METADATA,
    Column("partition", SmallInteger, primary_key=True, autoincrement=False),
    _text("topic"),
    _number("next_offset"),
    _number("as_of"),
    _number("clock"),
)
Table("feature_views", METADATA, _key("view", 128), _text("layout", 12))
Table(
    "feature_watermarks",
    METADATA,
    _key("view", 128),
    _number("created_at"),
    _text("tenant_id"),
    _text("entity_id"),
    _number("event_time"),
    Column("complete", SmallInteger, nullable=False),
    _number("as_of"),
)
Table(
    "forecasts",
    METADATA,
    _key("tenant_id"),
    _key("sku"),
    _key("night", 10),
    _key("day", 10),
    Column("mean", Double, nullable=False),
    Column("low", Double, nullable=False),
    Column("high", Double, nullable=False),
    _text("method", 128),
    _text("model_id"),
    _text("model_digest", 64),
    _number("created_at"),
    Index("forecasts_by_night", "tenant_id", "night", "day"),
    sqlite_with_rowid=False,
)
Table("forecast_plans", METADATA, _key("tenant_id"), _key("night", 10), _key("sku"), sqlite_with_rowid=False)
Table(
    "forecast_nights",
    METADATA,
    _key("tenant_id"),
    _key("night", 10),
    _text("state", 16),
    _number("changed_at"),
    _number("began_at"),
    _number("sla_ms"),
    Column("report", Text, nullable=False),
    Column("whole", Boolean, nullable=False),
)
Table(
    "inactive_spells",
    METADATA,
    _key("tenant_id"),
    _key("entity_id"),
    _number("last_seen_at", key=True),
    _number("told_at"),
)
Table(
    "dataset_updates",
    METADATA,
    _key("tenant_id"),
    _key("model"),
    _key("dataset_version"),
    _number("rows_added"),
    _number("triggered_at"),
    _text("event_id"),
    _number("received_at"),
    _number("run", optional=True),
    Index("dataset_updates_by_run", "model", "run"),
)
Table(
    "training_leases",
    METADATA,
    _key("model"),
    _number("token"),
    _text("holder"),
    _number("until"),
)
Table(
    "training_runs",
    METADATA,
    _key("model"),
    _number("token", key=True),
    _text("holder"),
    _number("began_at"),
    _number("ended_at", optional=True),
    _text("state", 16),
    Column("finding", Text, nullable=False),
)
Table(
    "model_changes",
    METADATA,
    _key("model"),
    _key("alias", 64),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("ended", Boolean, primary_key=True),
    _text("state", 16),
    _text("version", 64),
    _text("digest", 64),
    _text("previous", 64),
    _number("at"),
    _text("who"),
    Column("why", Text, nullable=False),
)
Table(
    "agent_runs",
    METADATA,
    _key("run_id", 64),
    _text("tenant_id"),
    _text("ticket_id"),
    _text("event_id"),
    _text("model_id"),
    _number("began_at"),
    _number("ended_at", optional=True),
    Index("agent_runs_by_event", "event_id"),
)
Table(
    "agent_steps",
    METADATA,
    _key("run_id", 64),
    Column("number", Integer, primary_key=True, autoincrement=False),
    _text("kind", 16),
    _number("at"),
    _number("token"),
    Column("step", Text, nullable=False),
)
Table(
    "agent_leases",
    METADATA,
    _key("tenant_id"),
    _key("ticket_id"),
    _number("token"),
    _text("holder"),
    _number("until"),
)
Table(
    "agent_spending",
    METADATA,
    _key("tenant_id"),
    _key("tool", 32),
    _key("scope", 32),
    _key("subject"),
    _key("day", 10),
    _key("currency", 3),
    _number("spent_minor"),
)


def upgrade() -> None:
    """Make the tables that are missing: a store may have been used by some of its owners only."""
    METADATA.create_all(op.get_bind())
