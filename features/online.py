"""Which feature values an entity has right now. The seam to the online store; one round trip for a whole batch."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from events.decision import Millis


class EntityKey(NamedTuple):
    """Whose features: `EntityKey("acme", "customer", "c-17")`."""

    tenant_id: str
    entity: str
    entity_id: str


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
