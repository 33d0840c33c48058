"""Replay cursor: a resumed run reads its journaled steps again before it adds any.

All that a run does between two steps follows from the steps before: taken up, it asks for the same ones in
the same order, as a replayed history does in Temporal or Durable Functions.
"""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from events.errors import SignalboxError
from models.support.journal import JournaledRun
from models.support.steps import Step, kind

S = TypeVar("S", bound=Step)
T = TypeVar("T", bound=Step)


class DivergedError(SignalboxError):
    """A journal cannot be followed: this code, or this version, would have taken another way."""


class Cursor:
    """A place in a run's journal. Not thread-safe."""

    def __init__(self, run: JournaledRun) -> None:
        self.run = run
        self._place = 0

    @property
    def behind(self) -> tuple[Step, ...]:
        """The steps that were read or added by now."""
        return tuple(self.run.steps[: self._place])

    def recorded(self, wanted: type[S], otherwise: type[T] | None = None) -> S | T | None:
        """The next step of the journal; None at its end.

        Raises `DivergedError` if it is neither of those that are wanted.
        """
        if self._place == len(self.run.steps):
            return None
        step = self.run.steps[self._place]
        if isinstance(step, wanted) or (otherwise is not None and isinstance(step, otherwise)):
            self._place += 1
            return step
        raise DivergedError(
            f"step {self._place + 1} of {self.run.run_id} is {kind(step)}, not {wanted.__name__.lower()}"
        )

    def add(self, *steps: Step, within: Callable[[Connection], None] | None = None) -> None:
        """Append to the journal, at whose end this is. Raises what `JournaledRun.append` does."""
        self.run.append(*steps, within=within)
        self._place = len(self.run.steps)
