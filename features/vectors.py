"""Assembly of feature vectors from the views' answers, with the contract's rule for missing values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress, repeat
from typing import Any, Literal

import numpy as np

from events.decision import Millis
from features.position import standing_text
from features.reading import FeatureVector, Reaction
from features.table import Floats, Table, Value
from features.wanted import Bools, Ints, Part, Wanted

_NEVER = np.iinfo(np.int64).max


@dataclass(slots=True, eq=False)
class Gathered:
    """What the views said so far, a row for each event that asks.

    The rows of `matrix` lie side by side, as those of `features.windows.Values` do: columns are copied whole.
    """

    wanted: Wanted
    matrix: Floats
    missing: Bools
    stale: Bools
    data_time: Ints
    offline: Bools
    texts: dict[int, list[str]] = field(default_factory=dict)
    standing: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, wanted: Wanted, asked: int) -> "Gathered":
        """Nothing said yet: everything stands at its default, and nothing is missing."""
        shape = (asked, len(wanted.names))
        return cls(
            wanted,
            wanted.defaults[:, None].repeat(asked, axis=1).T,
            np.zeros(shape, np.bool_),
            np.zeros(shape, np.bool_),
            np.full(asked, _NEVER),
            np.zeros(asked, np.bool_),
            {place: [default] * asked for place, default in wanted.texts.items()},
        )

    def say(self, part: Part, newest: Ints, offline: Bools, stale: Bools) -> None:
        """Of one view: the time of its newest data (-1: none), whether it came from SQL, whether too late."""
        np.minimum(self.data_time, np.where(newest < 0, _NEVER, newest), out=self.data_time)
        self.offline |= offline
        if stale.any():
            self.stale[:, part.places] = stale[:, None]

    def numbers(self, part: Part, matrix: Floats, absent: Bools) -> None:
        """The columns of one view."""
        self.matrix[:, part.places] = matrix[:, part.columns]
        if absent.any():
            self.missing[:, part.places] = absent[:, part.columns]

    def values(self, part: Part, rows: Sequence[Sequence[Value | None]]) -> None:
        """The fields of one view; None if one is missing."""
        for place, column in part.pairs:
            found = [row[column] for row in rows]
            self.missing[:, place] = [value is None for value in found]
            for event, value in enumerate(found):
                if isinstance(value, str):
                    self.texts[place][event] = value
                elif value is not None:
                    self.matrix[event, place] = value


def vectors(gathered: Gathered) -> list[FeatureVector]:
    """One for each event that asks."""
    wanted, asked = gathered.wanted, len(gathered.matrix)
    # asked once: most batches have neither
    is_missing, is_stale = bool(gathered.missing.any()), bool(gathered.stale.any())
    if is_stale:
        _to_defaults(gathered, gathered.stale & wanted.on_stale.default)
    nothing: list[tuple[str, ...]] = [()] * asked
    columns: tuple[list[Any], ...] = (
        Table(gathered.matrix, gathered.texts).rows(),
        _names(gathered.missing, wanted.names) if is_missing else nothing,
        _names(gathered.stale, wanted.names) if is_stale else nothing,
        _times(gathered.data_time),
        _origins(gathered.offline),
        _positions(gathered.standing, asked),
        _reactions(gathered) if is_missing or is_stale else [None] * asked,
    )
    found = list(map(FeatureVector, *columns))
    # `map` ends with the shortest, and says nothing
    if len(found) != asked:
        raise ValueError(f"{asked} events ask, and {len(found)} would be answered")
    return found


def _times(times: Ints) -> list[Millis | None]:
    found: list[Millis | None] = times.tolist()
    return [None if time == _NEVER else time for time in found] if (times == _NEVER).any() else found


def _origins(offline: Bools) -> list[Literal["online", "offline"]]:
    if not offline.any():
        return ["online"] * len(offline)
    return ["offline" if from_sql else "online" for from_sql in offline.tolist()]


def _to_defaults(gathered: Gathered, chosen: Bools) -> None:
    np.copyto(gathered.matrix, gathered.wanted.defaults, where=chosen)
    for place, default in gathered.wanted.texts.items():
        for event in np.flatnonzero(chosen[:, place]).tolist():
            gathered.texts[place][event] = default


def _names(chosen: Bools, names: Sequence[str]) -> list[tuple[str, ...]]:
    """The chosen names of each row. Rows are few of a kind: each kind is spelled out once."""
    found: list[tuple[str, ...]] = [()] * len(chosen)
    known: dict[bytes, tuple[str, ...]] = {}
    for event in np.flatnonzero(chosen.any(axis=1)).tolist():
        row = chosen[event].tobytes()
        if row not in known:
            known[row] = tuple(compress(names, chosen[event]))
        found[event] = known[row]
    return found


def _positions(standing: Mapping[str, list[str]], asked: int) -> list[str]:
    if len(standing) == 1:
        return next(iter(standing.values()))
    known: dict[tuple[str, ...], str] = {}
    positions = []
    for texts in zip(*standing.values(), strict=True) if standing else repeat((), asked):
        if texts not in known:
            known[texts] = standing_text(dict(zip(standing, texts, strict=True)))
        positions.append(known[texts])
    return positions


def _reactions(gathered: Gathered) -> list[Reaction | None]:
    missing, stale = gathered.wanted.on_missing, gathered.wanted.on_stale
    found: list[Reaction | None] = [None] * len(gathered.matrix)
    # the graver one last, since it stands
    policies: tuple[tuple[Reaction, Bools, Bools], ...] = (
        ("fallback", missing.fallback, stale.fallback),
        ("refuse", missing.refuse, stale.refuse),
    )
    for reaction, of_missing, of_stale in policies:
        called_for = (gathered.missing & of_missing) | (gathered.stale & of_stale)
        for event in np.flatnonzero(called_for.any(axis=1)).tolist():
            found[event] = reaction
    return found
