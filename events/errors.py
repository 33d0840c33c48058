"""What went wrong, named by the reaction that it calls for."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Cause = Literal[
    "undecodable",  # the bytes are no event in any wire form that we read
    "invalid_envelope",  # an event, but a field of its envelope is missing or wrong
    "unknown_version",  # a declared type in a major version that nobody declared
    "invalid_payload",  # the payload does not fit its type and version
    "too_large",  # more bytes than a lane carries
    "missing_feature",  # a required feature is in neither the payload nor the store
    "invalid_output",  # the model answered with something that is not a prediction
    "retries_exhausted",  # it failed again on each attempt that it was allowed
    "worker_lost",  # alone in its batch, it killed the worker each time
    "timeout",  # alone in its batch, it ran over its time limit each time
    "rejected",  # the workflow said that this event can never succeed
    "unexpected",  # our own code failed on this record: the log has the traceback
]
CAUSES: tuple[Cause, ...] = get_args(Cause)


class SignalboxError(Exception):
    """The root of every error that this project raises on purpose."""


class Retry(SignalboxError):
    """The infrastructure failed; the same call may succeed later. Never raised for bad data."""

    pause_ms: int | None = None
    """How long to wait before that, if a route decides on it."""


class Unavailable(Retry):
    """A dependency is known to be down. Waiting for it uses up no attempt."""

    def __init__(self, dependency: str, reason: object = "") -> None:
        super().__init__(
            f"{dependency} is unavailable: {reason}" if str(reason) else f"{dependency} is unavailable"
        )
        self.dependency = dependency


class DeadLetter(SignalboxError):
    """This event can never succeed. It alone goes to the dead-letter topic, with `cause`."""

    def __init__(self, cause: Cause, message: str) -> None:
        super().__init__(message)
        self.cause = cause


class Fallback(SignalboxError):
    """The model is too slow or unavailable for this event: the workflow's fallback answers."""


class Escalate(SignalboxError):
    """The model is not confident enough: a person decides."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what an operator wrote. `line` counts from 1; 0 if no line is to blame."""

    path: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return _printable(": ".join(part for part in (place, self.key, self.message) if part))


def _printable(text: str) -> str:
    """A file may hold what a log cannot: a lone surrogate would raise, a line break would forge a line."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )


class ConfigError(SignalboxError):
    """The configuration cannot be used. Carries every problem; a part that runs keeps the last good one."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)
