"""The lookups of a contract for a batch of events: which views, and of which entities."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from features.contract import Contract
from features.keys import EntityKey
from features.reading import Asked, Of
from features.schema import Definitions
from features.views import BatchView, RequestView, StreamView

Places = NDArray[np.intp]
Some = Places | slice
"""Places; a slice where they follow each other, which takes a tenth of the time to look up."""
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What a contract takes from one view: its `columns`, which go to `places` of the vector."""

    view: StreamView | BatchView
    places: Some
    columns: Some
    pairs: tuple[tuple[int, int], ...]
    """The same one by one: a place and its column."""


_REACTIONS = ("default", "fallback", "refuse")


@dataclass(frozen=True, slots=True, eq=False)
class Reactions:
    """For each place of the vector, what the contract says of a value that is missing (or stale)."""

    default: Bools
    fallback: Bools
    refuse: Bools

    @classmethod
    def of(cls, policies: Sequence[str]) -> "Reactions":
        """One policy for each place."""
        return cls(*(np.array([each == name for each in policies], np.bool_) for name in _REACTIONS))


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """A contract as columns of numbers. Made once for each contract."""

    contract: Contract
    names: tuple[str, ...]
    parts: tuple[Part, ...]
    defaults: NDArray[np.float64]
    texts: dict[int, str]
    """The places that hold texts, and their defaults; in `defaults` they are no number."""
    on_missing: Reactions
    on_stale: Reactions


def wanted(contract: Contract, definitions: Definitions) -> Wanted:
    """Raises `ConfigError` if the definitions have no such feature as the contract names."""
    located = [definitions.locate(name) for name in contract.stored]
    texts: dict[int, str] = {}
    defaults = np.full(len(located), np.nan)
    for place, (view, column) in enumerate(located):
        default = (view.features if isinstance(view, StreamView) else view.fields)[column].default
        if isinstance(default, str):
            texts[place] = default
        else:
            defaults[place] = default
    parts = []
    for view in dict.fromkeys(view for view, _ in located):
        if not isinstance(view, RequestView):
            places = [place for place, (other, _) in enumerate(located) if other is view]
            columns = [located[place][1] for place in places]
            pairs = tuple(zip(places, columns, strict=True))
            parts.append(Part(view, _some(places), _some(columns), pairs))
    return Wanted(
        contract,
        contract.stored,
        tuple(parts),
        defaults,
        texts,
        Reactions.of([need.on_missing for need in contract.needs]),
        Reactions.of([need.on_stale for need in contract.needs]),
    )


def _some(places: Sequence[int]) -> Some:
    first, last = places[0], places[-1]
    return (
        slice(first, last + 1) if list(places) == list(range(first, last + 1)) else np.array(places, np.intp)
    )


class Who(NamedTuple):
    """Each entity once, and for each event that asks the place of its own: one past the last for nobody."""

    entities: Sequence[EntityKey]
    of: Places

    def keys(self, places: Iterable[int]) -> list[Of]:
        """The entities at these places, as SQL is asked for them."""
        return [(self.entities[place].tenant_id, self.entities[place].entity_id) for place in places]


def who(entity: str, asked: Sequence[Asked]) -> Who:
    """About whom these events ask, of one kind of entity."""
    found = [each.keys.get(entity) for each in asked]
    unique = dict.fromkeys(found)
    if len(unique) == len(found) and None not in unique:
        return Who(cast("list[EntityKey]", found), np.arange(len(found)))
    entities = [key for key in unique if key is not None]
    places: dict[EntityKey | None, int] = {key: place for place, key in enumerate(entities)}
    return Who(entities, np.array([places.get(key, len(places)) for key in found], np.intp))
