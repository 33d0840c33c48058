"""Which feature values an entity has right now? The seam to the online store: one round trip for a batch."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Protocol

import msgspec
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from events.decision import Millis
from events.errors import Unavailable
from features.keys import EntityKey, row_key

__all__ = ["EntityKey", "FeatureRow", "OnlineStore", "RedisOnlineStore", "row_key"]

DEPENDENCY = "feature store"
ROWS_PER_WRITE = 1_000


class FeatureRow(msgspec.Struct, frozen=True):
    """The values of one entity and the data time (epoch ms) that they were made from."""

    event_time: Millis
    values: dict[str, float]


class OnlineStore(Protocol):
    """Read by workers for every batch; written by whoever computes features."""

    def fetch(self, keys: Sequence[EntityKey]) -> list[FeatureRow | None]:
        """One row or None for each key, in their order, in one round trip. Raises `Unavailable`."""

    def write(self, rows: Iterable[tuple[EntityKey, FeatureRow]]) -> None:
        """Put rows in place of older ones. Raises `Unavailable`."""


Features = Mapping[str, float]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(FeatureRow).decode


def redis_key(key: EntityKey) -> str:
    """`features:<tenant>:<entity>:<id>`, another one for every other key.

    A colon in a tenant or an entity is written `%3A`; the id comes last and stands as it is.
    """
    tenant_id, entity, entity_id = key
    return f"features:{_part(tenant_id)}:{_part(entity)}:{entity_id}"


def _part(text: str) -> str:
    if ":" in text or "%" in text:
        return text.replace("%", "%25").replace(":", "%3A")
    return text


def decode_row(value: bytes | str | None) -> FeatureRow | None:
    """A stored row; None where there is none, or where the bytes are not one.

    What another program wrote there must not stop the orders: the model names the values that it missed.
    """
    if value is None:
        return None
    try:
        return _decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


class RedisOnlineStore:
    """Rows as JSON strings in one Redis (or Valkey). Make it after the fork.

    Each call waits `timeout_s` at most for an answer, twice where the connection had gone stale.
    `connect` makes the client: tests hand in another Redis.
    """

    def __init__(
        self, url: str, *, timeout_s: float = 1.0, connect: Callable[..., Redis] = Redis.from_url
    ) -> None:
        self._redis = connect(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            socket_keepalive=True,
            # a connection that a restarted Redis closed is replaced; waiting longer is the caller's policy
            retry=Retry(NoBackoff(), 1),
        )

    def fetch(self, keys: Sequence[EntityKey]) -> list[FeatureRow | None]:
        """One row or None for each key, in their order, in one round trip. Raises `Unavailable`."""
        if not keys:
            return []
        try:
            values = self._redis.mget([redis_key(key) for key in keys])
        except RedisError as error:
            raise Unavailable(DEPENDENCY, error) from error
        return [decode_row(value) for value in values]

    def write(self, rows: Iterable[tuple[EntityKey, FeatureRow]]) -> None:
        """Put rows in place of older ones, a thousand to a round trip.

        Raises `Unavailable`; some may be written by then.
        """
        remaining = iter(rows)
        try:
            while chunk := {redis_key(key): _encode(row) for key, row in islice(remaining, ROWS_PER_WRITE)}:
                self._redis.mset(chunk)
        except RedisError as error:
            raise Unavailable(DEPENDENCY, error) from error

    def close(self) -> None:
        """Give the connection back."""
        self._redis.close()
