"""What must be looked up for a contract, and about whom do these events ask?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.contract import Contract
from features.keys import EntityKey
from features.reading import Asked, Of
from features.schema import Definitions
from features.views import BatchView, RequestView, StreamView

Places = NDArray[np.intp]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What a contract takes from one view: its `columns`, which go to `places` of the vector."""

    view: StreamView | BatchView
    places: Places
    columns: Places


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
    """Raises `ConfigError` where the definitions lack a feature of the contract."""
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
            parts.append(Part(view, np.array(places, np.intp), np.array(columns, np.intp)))
    return Wanted(
        contract,
        contract.stored,
        tuple(parts),
        defaults,
        texts,
        Reactions.of([need.on_missing for need in contract.needs]),
        Reactions.of([need.on_stale for need in contract.needs]),
    )


class Who(NamedTuple):
    """Each entity once, and for each event that asks the place of its own: one past the last for nobody."""

    keys: list[Of]
    of: Places


def who(entity: str, asked: Sequence[Asked]) -> Who:
    """About whom these events ask, of one kind of entity."""
    places: dict[EntityKey, int] = {}
    of = []
    for each in asked:
        key = each.keys.get(entity)
        of.append(-1 if key is None else places.setdefault(key, len(places)))
    found = np.array(of, np.intp)
    if -1 in of:
        found[found < 0] = len(places)
    return Who([(tenant_id, entity_id) for tenant_id, _, entity_id in places], found)
