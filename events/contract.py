"""The event contract: the payload of each type by major version, and the upcasters between versions."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from events.decision import Millis
from events.errors import ConfigError, Problem

MINUTE_MS = 60_000
DAY_MS = 86_400_000
Payload = Mapping[str, Any]
Upcaster = Callable[[Payload], dict[str, Any]]
"""A valid payload of one major version as the next one says it. Leaves the one that it is handed alone."""


@dataclass(frozen=True, slots=True)
class Span:
    """How far from its entry into Kafka an event may have happened: `age` before it, `ahead` after it (ms).

    The usual values bear a till that was offline for weeks, a dead letter that is replayed once its cause is
    gone, and a clock that is a little ahead.
    """

    age: Millis = 30 * DAY_MS
    ahead: Millis = 5 * MINUTE_MS


@dataclass(frozen=True)
class Contract:
    """Models by event type and major version, upcasters by event type and the major that they start from.

    `retired` names what is accepted no more, as (event type, major); its model may go or stay. `spans` says
    how far from its entry into Kafka an event may have happened, of each type for which that is not `Span()`.
    """

    payloads: Mapping[str, Mapping[int, type[BaseModel]]]
    upcasters: Mapping[str, Mapping[int, Upcaster]] = field(default_factory=dict)
    retired: frozenset[tuple[str, int]] = frozenset()
    spans: Mapping[str, Span] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises `ConfigError` if an accepted version has no way to the newest one."""
        problems = tuple(self._problems())
        if problems:
            raise ConfigError(problems)

    def accepted(self, event_type: str) -> tuple[int, ...]:
        """The major versions that are taken, the newest last; none if the type is not declared."""
        majors = self.payloads.get(event_type, ())
        return tuple(sorted(major for major in majors if (event_type, major) not in self.retired))

    def chain(self, event_type: str, major: int) -> tuple[Upcaster, ...]:
        """What leads from an accepted major version to the newest; nothing from the newest itself."""
        newest = self.accepted(event_type)[-1]
        return tuple(self.upcasters[event_type][step] for step in range(major, newest))

    def _problems(self) -> Iterator[Problem]:
        for event_type, majors in self.payloads.items():
            accepted = self.accepted(event_type)
            if not accepted:
                yield _problem(event_type, "every version is retired: take the type out of PAYLOADS")
                continue
            steps = self.upcasters.get(event_type, {})
            for step in range(accepted[0], accepted[-1]):
                if step not in steps:
                    yield _problem(event_type, f"no upcaster leads from major {step} to {step + 1}: write it")
            for step in sorted(steps):
                if step + 1 not in majors:
                    yield _problem(event_type, f"an upcaster leads to major {step + 1}, which has no model")
        for event_type in self.upcasters.keys() - self.payloads.keys():
            yield _problem(event_type, "has upcasters, and nobody declared it")
        for event_type in self.spans.keys() - self.payloads.keys():
            yield _problem(event_type, "has a span of time, and nobody declared it")


def _problem(event_type: str, message: str) -> Problem:
    return Problem("events/retail.py", 0, event_type, message)
