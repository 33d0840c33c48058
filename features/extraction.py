"""Feature extraction: what an event adds to the measures of the entities that it is about. Pure."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from events.decision import Millis
from events.envelope import Envelope
from features.schema import Definitions

LAST_TILE = 2**32 - 2
"""What is later than this fits no row; with tiles of a second that is February 2106."""
# beyond it a float64 no longer tells one unit from the next
_LARGEST_AMOUNT = 2**53


class Increment(NamedTuple):
    """One event's contribution to one measure (by index) of one entity's view.

    `n` is how many it counts, `amount` what it sums, in units of `10**-decimals`. `tile` is `event_time`
    (epoch ms) in units of the view's resolution.
    """

    tenant_id: str
    view: str
    entity_id: str
    measure: int
    tile: int
    n: int
    amount: int
    event_time: Millis


class _Source(NamedTuple):
    """The place of a measure in the payload of one type of event."""

    view: str
    measure: int
    tile_ms: int
    key: str
    of: str | None
    scale: int
    each: str | None


def increments_of(event: Envelope, definitions: Definitions) -> tuple[Increment, ...]:
    """All contributions of an event whose payload is valid; none if nothing is made of its type.

    What has no key or no number adds nothing (a label without its terminal). Neither does an event
    before 1970 or after `LAST_TILE`.
    """
    sources = _sources(definitions).get(event.event_type)
    if sources is None:
        return ()
    return tuple(increment for source in sources for increment in _from(source, event))


def _from(source: _Source, event: Envelope) -> Iterator[Increment]:
    tile = event.occurred_at // source.tile_ms
    if not 0 <= tile <= LAST_TILE:
        return
    for part in _parts(source, event.payload):
        entity_id = part.get(source.key)
        amount = 0 if source.of is None else scaled(part.get(source.of), source.scale)
        if type(entity_id) is str and entity_id and amount is not None:
            yield Increment(
                event.tenant_id, source.view, entity_id, source.measure, tile, 1, amount, event.occurred_at
            )


def _parts(source: _Source, payload: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if source.each is None:
        yield payload
        return
    items = payload.get(source.each)
    for item in items if type(items) is list else ():
        if type(item) is dict:
            yield item


def scaled(value: object, scale: int) -> int | None:
    """A number in units of `1 / scale`, to the nearest; None if it is none, or too large to be exact."""
    if type(value) is int:
        scaled = value * scale
    elif type(value) is float and abs(value) <= _LARGEST_AMOUNT:  # false for NaN as well
        scaled = round(value * scale)
    else:
        return None
    return scaled if abs(scaled) <= _LARGEST_AMOUNT else None


@lru_cache(maxsize=64)
def _sources(definitions: Definitions) -> dict[str, tuple[_Source, ...]]:
    """By event type. Definitions are compared by identity, so that looking them up costs nothing."""
    found: dict[str, list[_Source]] = {}
    for view in definitions.stream_views:
        entity = definitions.entities[view.entity]
        for index, measure in enumerate(view.measures):
            source = _Source(
                view.name,
                index,
                view.tile_ms,
                measure.key or entity.key,
                measure.of,
                10**measure.decimals,
                measure.each,
            )
            for event_type in measure.event_types:
                found.setdefault(event_type, []).append(source)
    return {event_type: tuple(sources) for event_type, sources in found.items()}
