"""A small view, its rows and what they hold, for the tests of the online tier."""

from collections.abc import Iterable, Sequence

from features.decoding import segments_of
from features.extraction import Increment
from features.heartbeats import Heartbeat
from features.increments import Segment, encode_increments, encode_row, packed
from features.keys import row_key, shelf_of
from features.redis_store import Delta, RedisStore
from features.schema import Aggregate, Measure, StreamView
from features.views import DAY_S

TENANT = "acme"
VIEW = StreamView(
    name="orders",
    entity="customer",
    measures=(Measure("orders", "order.placed", of="amount"),),
    features=(
        Aggregate("count_1d", "count", "orders", days=1),
        Aggregate("mean_1d", "mean", "orders", days=1),
        Aggregate("last", "recency", "orders", default=-1.0),
    ),
    ttl_days=30,
    freshness_s=60,
    owner="tests",
    description="what a customer ordered",
    slack_days=2,
)
NOW = 1_700_000_000
"""A tile, which is a second."""
DAY = DAY_S
TTL_S = VIEW.ttl_days * DAY_S


def key(entity_id: str) -> str:
    """Where a customer's row stands."""
    return row_key(TENANT, shelf_of(VIEW), entity_id)


def delta(entity_id: str, *tiles: int) -> Delta:
    """An order of 1 in each tile."""
    increments = (Increment(TENANT, VIEW.name, entity_id, 0, tile, 1, 1, tile * 1_000) for tile in tiles)
    return Delta(key(entity_id), VIEW, encode_increments(increments))


def segment(partition: int, position: int, *tiles: int) -> Segment:
    """An order of 1 in each tile."""
    return Segment(partition, position, packed((tile, 0, 1, 1) for tile in tiles))


def row(entity_id: str, *segments: Segment, ttl_s: int = TTL_S) -> tuple[str, bytes, int]:
    """A whole row, as it is put."""
    return key(entity_id), encode_row(segments, VIEW), ttl_s


def beat(position: int, as_of: int = 0, clock: int = 0) -> Heartbeat:
    """A heartbeat whose times do not matter."""
    return Heartbeat(position, as_of, clock)


def standing(store: RedisStore, entity_id: str) -> dict[int, tuple[int, list[int]]] | None:
    """By partition the position of a row's segment and the tiles in it; None if there is no row."""
    ((value,), _) = store.read([key(entity_id)])
    if value is None:
        return None
    return {each.partition: (each.position, each.increments["tile"].tolist()) for each in segments_of(value)}


def begin(store: RedisStore, positions: Iterable[int]) -> None:
    """Heartbeats of partitions 0, 1, … at these positions."""
    for partition, position in enumerate(positions):
        store.append(partition, position, beat(position), [])


def known(positions: Sequence[int]) -> dict[int, int]:
    """What partitions 0, 1, … are known up to."""
    return dict(enumerate(positions))
