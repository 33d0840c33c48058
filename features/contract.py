"""A model's feature contract: the features that it needs, and what a missing or stale value means."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from events.errors import ConfigError, Problem
from features.schema import Definitions, RequestView

OnMissing = Literal[
    "default",  # the definition's default stands in
    "fallback",  # the workflow's fallback answers instead of the model
    "refuse",  # the event goes to the dead letters
]
OnStale = Literal[
    "serve",  # the value as it is
    "default",
    "fallback",
    "refuse",
]


@dataclass(frozen=True, slots=True)
class Need:
    """One feature of the store that a model reads. Whatever it does then, missing and stale are said."""

    feature: str
    on_missing: OnMissing = "default"
    on_stale: OnStale = "serve"


@dataclass(frozen=True, slots=True)
class Contract:
    """What one model sees; made by `of`.

    `payload` are the features that it takes from the asking event itself, `needs` those that are read for it;
    its columns are `names`, in that order. `hash` (12 hex digits) changes with any definition among them and
    with their order: not with the reactions, which change no value.
    """

    needs: tuple[Need, ...]
    payload: tuple[str, ...]
    hash: str

    @classmethod
    def of(
        cls, definitions: Definitions, needs: Iterable[Need | str], payload: Iterable[str] = ()
    ) -> "Contract":
        """A name alone is a need with the default reactions. Raises `ConfigError` with every problem."""
        read = tuple(Need(need) if isinstance(need, str) else need for need in needs)
        payload = tuple(payload)
        if problems := tuple(_problems(definitions, read, payload)):
            raise ConfigError(problems)
        return cls(read, payload, definitions.hash_of((*payload, *(need.feature for need in read))))

    @property
    def stored(self) -> tuple[str, ...]:
        """The features that are read from the store, in the order of a vector's values."""
        return tuple(need.feature for need in self.needs)

    @property
    def names(self) -> tuple[str, ...]:
        """Every feature that the model sees."""
        return self.payload + self.stored


def _problems(
    definitions: Definitions, needs: tuple[Need, ...], payload: tuple[str, ...]
) -> Iterator[Problem]:
    seen: set[str] = set()
    for name in (*payload, *(need.feature for need in needs)):
        if name in seen:
            yield _problem(name, "is asked for twice")
        seen.add(name)
    for name in payload:
        yield from _misplaced(definitions, name, from_payload=True)
    for need in needs:
        yield from _misplaced(definitions, need.feature, from_payload=False)
        for policy, value, known in (
            ("on_missing", need.on_missing, get_args(OnMissing)),
            ("on_stale", need.on_stale, get_args(OnStale)),
        ):
            if value not in known:
                yield _problem(need.feature, f"{policy} is one of {', '.join(known)}, not {value!r}")


def _misplaced(definitions: Definitions, name: str, *, from_payload: bool) -> Iterator[Problem]:
    try:
        view, _ = definitions.locate(name)
    except ConfigError as error:
        yield from error.problems
        return
    if isinstance(view, RequestView) and not from_payload:
        yield _problem(name, f"stands in the event itself ({view.name}): name it among `payload`")
    if from_payload and not isinstance(view, RequestView):
        yield _problem(name, f"stands in the store ({view.name}): name it among the needs")


def _problem(name: str, message: str) -> Problem:
    return Problem("contract", 0, name, message)
