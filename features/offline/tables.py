"""SQL schema of the offline tier: a row for each increment, and the proof that it was counted once.

A database holds one installation: one stream of events, and what was backfilled beside it.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

METADATA = MetaData()

OFFLINE_STORE = "offline feature store"
"""The owner of these tables, as errors and logs name it."""


def index(name: str, *columns: str) -> Index:
    """An index, where a database has any: BigQuery looks through columns."""
    made = Index(name, *columns)
    made.ddl_if(dialect=("sqlite", "postgresql"))  # type: ignore[arg-type]  # documented, not declared
    return made


# in SQLite only an INTEGER key is the row's own number, and costs no index
_NUMBER = BigInteger().with_variant(Integer, "sqlite")

ENTITIES = Table(
    "feature_entities",
    METADATA,
    Column("id", _NUMBER, primary_key=True, autoincrement=False),
    Column("view", String(128), nullable=False),
    Column("tenant_id", String(256), nullable=False),
    Column("entity_id", String(256), nullable=False),
    UniqueConstraint("view", "tenant_id", "entity_id"),
)
"""A short number for each entity of a view: three names in each increment would be half of the database."""

EVENTS = Table(
    "feature_events",
    METADATA,
    Column("partition", SmallInteger, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", String(256), nullable=False),
    Column("digest", LargeBinary(16), unique=True),
    Column("event_time", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Each event that was counted; times in epoch ms. What has a digest that stands here is a duplicate."""

INCREMENTS = Table(
    "feature_increments",
    METADATA,
    Column("entity", BigInteger, primary_key=True, autoincrement=False),
    Column("partition", SmallInteger, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("measure", SmallInteger, nullable=False),
    Column("tile", BigInteger, nullable=False),
    Column("n", Integer, nullable=False),
    Column("amount", BigInteger, nullable=False),
    # which entities were touched since an offset
    index("feature_increments_by_position", "partition", "offset"),
    # an entity's increments lie together: reading a row is one range, not a hop for each increment
    sqlite_with_rowid=False,
)
"""What events add to measures. `ordinal` tells those of one event apart; the rest is as in `Increment`."""

ORDERS = Table(
    "feature_orders",
    METADATA,
    Column("partition", SmallInteger, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("tenant_id", String(256), nullable=False),
    Column("order_id", String(256), nullable=False),
    Column("customer_id", String(256), nullable=False),
    Column("terminal_id", String(256), nullable=False),
    Column("amount_cents", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Each order by its id, to train on; its time is that of its row in `feature_events`."""

FRAUDS = Table(
    "feature_frauds",
    METADATA,
    Column("partition", SmallInteger, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("tenant_id", String(256), nullable=False),
    Column("order_id", String(256), nullable=False),
    sqlite_with_rowid=False,
)
"""Each confirmation that an order was fraud. It may come before its order, twice, or of an order unknown."""

TILES = Table(
    "feature_tiles",
    METADATA,
    Column("entity", BigInteger, primary_key=True, autoincrement=False),
    Column("width", Integer, primary_key=True, autoincrement=False),
    Column("tile", BigInteger, primary_key=True, autoincrement=False),
    Column("partition", SmallInteger, primary_key=True, autoincrement=False),
    Column("measure", SmallInteger, primary_key=True, autoincrement=False),
    Column("newest", BigInteger, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("high", BigInteger, nullable=False),
    Column("low", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Sums of a busy entity's increments, derived from them, by tiles of each `width` (in the view's own tiles).

`tile` is the first tile of `width`, `newest` the last that something fell in. The sum of the amounts is
`high * 2**32 + low`: two halves that cannot overflow (`features.sums`).
"""

ROLLED = Table(
    "feature_rolled",
    METADATA,
    Column("entity", BigInteger, primary_key=True, autoincrement=False),
    Column("partition", SmallInteger, primary_key=True, autoincrement=False),
    Column("next_offset", BigInteger, nullable=False),
)
"""Of which entities `feature_tiles` has the increments, those before this offset of the partition."""

OFFSETS = Table(
    "feature_offsets",
    METADATA,
    Column("partition", SmallInteger, primary_key=True, autoincrement=False),
    Column("topic", String(256), nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    Column("as_of", BigInteger, nullable=False),
    Column("clock", BigInteger, nullable=False),
)
"""How far each partition is counted: the next offset, the arrival in Kafka and the event time reached."""

VIEWS = Table(
    "feature_views",
    METADATA,
    Column("view", String(128), primary_key=True),
    Column("layout", String(12), nullable=False),
)
"""The layout by which each view's increments were stored: measures and tiles are numbers."""

WATERMARKS = Table(
    "feature_watermarks",
    METADATA,
    Column("view", String(128), primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("tenant_id", String(256), nullable=False),
    Column("entity_id", String(256), nullable=False),
    Column("event_time", BigInteger, nullable=False),
    Column("complete", SmallInteger, nullable=False),
    Column("as_of", BigInteger, nullable=False),
)
"""Up to which row each batch view was put online, whether that was all, and when all was the last time."""
