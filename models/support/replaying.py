"""Deterministic replay of a journal: the loop runs again, and no service is called."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final, NoReturn

import msgspec
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, FunctionModel
from sqlalchemy import Connection

from events.errors import SignalboxError
from models.support import standing
from models.support.answering import NoLlmError
from models.support.assignment import Assignment, Surroundings
from models.support.fallback import Reason
from models.support.journal import RunRow
from models.support.plan import AgentPlan, Llm
from models.support.run import conclude
from models.support.steps import Concluded, Searched, Step
from models.support.ticket import Ticket

FROM_OUTSIDE: Final[frozenset[Reason]] = frozenset(
    {"no_llm", "steps", "tokens", "seconds", "deadline", "refusal", "unreadable", "often"}
)
"""Conclusions from what a journal does not have: the time, an endpoint, budgets, other escalations."""


class EndOfRecordError(SignalboxError):
    """The journal has no more: whatever came next was not committed, or never began."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a run comes to now, and what was concluded then; None if it came to no conclusion."""

    then: Concluded | None
    now: Concluded | None

    @property
    def same(self) -> bool:
        """Whether nothing speaks against it that the journal is what happened."""
        if self.then is None or self.now is None:
            return self.then is None or self.then.reason in FROM_OUTSIDE
        now = msgspec.structs.replace(self.now, at=self.then.at)
        return now == self.then or {self.now.reason, self.then.reason} <= FROM_OUTSIDE


def replay(row: RunRow, steps: Sequence[Step], plan: AgentPlan) -> Replayed:
    """Read a run's steps again, with the budgets of `plan`."""
    then, begun = standing.concluded(steps), standing.begun(steps)
    if begun is None:
        return Replayed(then, None)
    recorded = Recorded(row.run_id, tuple(takewhile(lambda step: not isinstance(step, Concluded), steps)))
    assignment = Assignment(
        ticket=_nobodys(row),
        model_id=begun.model_id,
        plan=plan,
        instructions=begun.instructions,
        customer=begun.features,
        deadline=begun.began_at + int(plan.budgets.seconds * 1_000) * 2,
    )
    nobody: Any = _Nobody(steps)
    around = Surroundings(_silence, nobody, nobody, day_of=str, clock=lambda: begun.began_at)
    try:
        return Replayed(then, conclude(recorded, assignment, around))
    except EndOfRecordError:
        return Replayed(then, None)


class Recorded:
    """A `models.support.journal.JournaledRun` that is over."""

    def __init__(self, run_id: str, steps: Sequence[Step]) -> None:
        self.run_id = run_id
        self.steps = steps

    def append(self, *_steps: Step, within: Callable[[Connection], None] | None = None) -> NoReturn:  # noqa: ARG002 - as the Protocol has it
        """Raises `EndOfRecordError`."""
        raise EndOfRecordError(f"{self.run_id} has {len(self.steps)} steps")


class _Nobody:
    """Policies and a platform that a replay never asks: what they said is in the journal."""

    digest = ""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.namespaces = {step.namespace for step in steps if isinstance(step, Searched)}

    def within(self, _until: int) -> "_Nobody":
        """However late it is."""
        return self

    def __getattr__(self, name: str) -> NoReturn:
        raise EndOfRecordError(f"the journal does not say what came of {name!r}")


@asynccontextmanager
async def _silence(_llm: Llm) -> AsyncIterator[Model]:
    def answer(_messages: list[ModelMessage], _info: AgentInfo) -> ModelResponse:
        raise NoLlmError("nobody is asked in a replay")

    yield FunctionModel(answer)


def _nobodys(row: RunRow) -> Ticket:
    """The prompt has the ticket; what judges by it has judged."""
    return Ticket(
        tenant_id=row.tenant_id,
        event_id=row.event_id,
        ticket_id=row.ticket_id,
        customer_id="",
        order_id=None,
        subject="",
        body="",
        reason="",
    )
