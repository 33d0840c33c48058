"""What an event states of an entity, for the tables of batch views that are filled from events. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from events.decision import Millis
from events.envelope import Envelope
from features.schema import Definitions
from features.views import Origin

LONGEST_TEXT = 256
"""Characters of a value; the column holds more."""


class Statement(NamedTuple):
    """What one event says that a batch view's row holds from `event_time` (epoch ms) on."""

    view: str
    tenant_id: str
    entity_id: str
    event_time: Millis
    values: tuple[str, ...]


def statements_of(event: Envelope, definitions: Definitions) -> tuple[Statement, ...]:
    """All that an event with a valid payload states, one for each entity and view: the last of several.

    An item without its key or one of the values states nothing. Neither does a value that is blank, has
    more than `LONGEST_TEXT` characters or characters that no text is written with: an order counts even if
    its category is of no use.
    """
    found = {
        (view, entity_id): Statement(view, event.tenant_id, entity_id, event.occurred_at, values)
        for view, key, origin in _origins(definitions).get(event.event_type, ())
        for entity_id, values in _stated(origin, key, event.payload)
    }
    return tuple(found.values())


def _stated(origin: Origin, key: str, payload: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    parts = [payload] if origin.each is None else payload.get(origin.each)
    for part in parts if isinstance(parts, list) else ():
        if not isinstance(part, Mapping):
            continue
        entity_id, values = part.get(key), _texts(part, origin.fields)
        if isinstance(entity_id, str) and entity_id and len(values) == len(origin.fields):
            yield entity_id, values


def _texts(part: Mapping[str, Any], names: Iterable[str]) -> tuple[str, ...]:
    """The values of these fields, without those that cannot be used."""
    values = (part.get(name) for name in names)
    return tuple(value for value in values if isinstance(value, str) and _usable(value))


def _usable(value: str) -> bool:
    return len(value) <= LONGEST_TEXT and value.isprintable() and bool(value.strip())


@lru_cache(maxsize=64)
def _origins(definitions: Definitions) -> dict[str, tuple[tuple[str, str, Origin], ...]]:
    """By event type: the view, the payload's field with the entity's id, and the origin."""
    found: dict[str, list[tuple[str, str, Origin]]] = {}
    for view in definitions.batch_views:
        if view.origin is not None:
            entry = (view.name, definitions.entities[view.entity].key, view.origin)
            found.setdefault(view.origin.event_type, []).append(entry)
    return {event_type: tuple(entries) for event_type, entries in found.items()}
