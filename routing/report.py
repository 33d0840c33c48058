"""Configuration problems: file, line, field, and the nearest valid name."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from events.errors import Problem


@dataclass(slots=True)
class Report:
    """The problems found in one file so far."""

    path: str
    problems: list[Problem] = field(default_factory=list)

    def add(self, line: int, key: str, message: str) -> None:
        """Remember a problem; `line` counts from 1, 0 if none is to blame."""
        self.problems.append(Problem(self.path, line, key, message))

    def in_order(self) -> list[Problem]:
        """The problems by line."""
        return sorted(self.problems, key=lambda problem: problem.line)


def nearest(name: str, known: Iterable[str]) -> str:
    """The way out of a misspelt name: `; nearest: x`, or all there are, or nothing."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"; nearest: {close[0]}"
    return f"; known: {', '.join(names)}" if names else ""
