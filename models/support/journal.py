"""What has a run done so far, and who may add to it? A journal in SQL."""

from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Connection

from models.support.steps import Step


class JournaledRun(Protocol):
    """One run in somebody's hands: the steps that were committed, and the only way to add one."""

    @property
    def run_id(self) -> str:
        """The prediction's id."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """All that was committed, the oldest first."""

    def append(self, step: Step, within: Callable[[Connection], None] | None = None) -> None:
        """Commit one step, and in the same transaction what `within` does.

        Nothing is written where `within` raises. Raises `LeaseLostError` where another worker has the ticket
        by now, and `Unavailable`.
        """
