"""The recorded history of an alias: its versions now and before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from events.decision import Millis
from events.errors import ConfigError, Problem

OUTSIDE = "(outside of signalbox)"
"""Who moved an alias that was found moved: when it was is not known, only when it was found."""

State = Literal[
    "intended",  # it is about to be made, or whoever made it has not come back
    "done",  # the alias names the version, from `at` on
    "void",  # the alias was not moved by then; where it was later, that is another change
]


@dataclass(frozen=True, slots=True)
class Change:
    """One row: from `at` (epoch ms) on an alias names `version`, and `previous` no more. Empty: none."""

    model: str
    alias: str
    number: int
    state: State
    version: str
    digest: str
    previous: str
    at: Millis
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class Written:
    """All that was written down of an alias at one moment, in the order of its changes."""

    model: str
    alias: str
    rows: Sequence[Change]

    @property
    def number(self) -> int:
        """Of the last change; 0 before the first."""
        return self.rows[-1].number if self.rows else 0

    @property
    def done(self) -> list[Change]:
        """What was done to it."""
        return [row for row in self.rows if row.state == "done"]

    @property
    def version(self) -> str:
        """What it names by this; empty: nothing."""
        done = self.done
        return done[-1].version if done else ""

    @property
    def unended(self) -> Change | None:
        """The last change, if its end was not written down."""
        last = self.rows[-1] if self.rows else None
        return last if last is not None and last.state == "intended" else None

    def in_force(self, moment: Millis) -> Change | None:
        """The change by which it named what it named at a moment (epoch ms); None before the first."""
        before = [change for change in self.done if change.at <= moment]
        return before[-1] if before else None

    def in_doubt(self, moment: Millis) -> Change | None:
        """A change that may have been in force by then: one without an end, or found only later."""
        later = [change for change in self.done if change.at > moment]
        if later:
            return later[0] if later[0].who == OUTSIDE else None
        return self.unended if self.unended is not None and self.unended.at <= moment else None


class OvertakenError(ConfigError):
    """Another process recorded a change of this alias in between."""


def under_way(change: Change) -> ConfigError:
    """What another process is answered meanwhile."""
    problem = f"{change.who} is moving {change.alias} to v{change.version}: look again in a moment"
    return ConfigError([Problem("model_changes", 0, change.model, problem)])
