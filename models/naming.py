"""Required entity ids of an event."""

from collections.abc import Mapping
from typing import Any

from events.errors import DeadLetter


def named(payload: Mapping[str, Any], field: str) -> str:
    """The id in a payload's field. Raises `DeadLetter` if there is none."""
    value = payload.get(field)
    if isinstance(value, str) and value:
        return value
    raise DeadLetter("missing_feature", f"payload.{field} must be a text that is not empty")
