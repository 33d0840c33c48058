"""Whose features, and under which Redis key do they stand?"""

from functools import lru_cache
from typing import NamedTuple

POSITION_KEY = "features:position"
"""Where the heartbeats stand. No row has this key: a row's has three colons or more."""


class EntityKey(NamedTuple):
    """Whose features: `EntityKey("acme", "customer", "c-17")`."""

    tenant_id: str
    entity: str
    entity_id: str


def row_key(tenant_id: str, view: str, entity_id: str) -> str:
    """`features:<tenant>:<view>:<id>`, another one for every other entity of every other view.

    A colon in a tenant or a view is written `%3A`; the id comes last and stands as it is.
    """
    return _stem(tenant_id, view) + entity_id


@lru_cache(maxsize=4_096)
def _stem(tenant_id: str, view: str) -> str:
    return f"features:{_part(tenant_id)}:{_part(view)}:"


def _part(text: str) -> str:
    if ":" in text or "%" in text:
        return text.replace("%", "%25").replace(":", "%3A")
    return text
