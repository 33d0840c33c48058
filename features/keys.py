"""Entity keys, and the Redis keys of their rows."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from features.schema import layout
from features.views import BatchView, StreamView

POSITION_KEY = "features:position"
"""Where the heartbeats stand. No row has this key: a row's has three colons or more."""

_LAYOUT_DIGITS = 6


class EntityKey(NamedTuple):
    """Whose features: `EntityKey("acme", "customer", "c-17")`."""

    tenant_id: str
    entity: str
    entity_id: str


@lru_cache(maxsize=256)
def shelf_of(view: StreamView | BatchView) -> str:
    """Where the rows of a view stand: `customer_orders.3fa9c1`, elsewhere once its layout has changed.

    A row says by numbers what it holds: one that another layout wrote would be read with the wrong meaning.
    """
    return f"{view.name}.{layout(view)[:_LAYOUT_DIGITS]}"


def row_key(tenant_id: str, shelf: str, entity_id: str) -> str:
    """`features:<tenant>:<shelf>:<id>`, another one for every other entity of every other shelf.

    A colon in a tenant or a shelf is written `%3A`; the id comes last, unescaped.
    """
    return _stem(tenant_id, shelf) + entity_id


def row_keys(shelf: str, entities: Sequence[EntityKey]) -> list[str]:
    """The `row_key` of each entity on one shelf."""
    stems = {tenant_id: _stem(tenant_id, shelf) for tenant_id in {each[0] for each in entities}}
    return [stems[tenant_id] + entity_id for tenant_id, _, entity_id in entities]


@lru_cache(maxsize=4_096)
def _stem(tenant_id: str, shelf: str) -> str:
    return f"features:{_part(tenant_id)}:{_part(shelf)}:"


def _part(text: str) -> str:
    if ":" in text or "%" in text:
        return text.replace("%", "%25").replace(":", "%3A")
    return text
