"""The budget of an agent run: requests, tokens and time."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from events.decision import Millis
from events.errors import Unavailable
from models.support.answering import BreachError
from models.support.cursor import Cursor
from models.support.fallback import Reason
from models.support.plan import AgentPlan
from models.support.steps import Answered, Asked
from transport.clock import Clock


@dataclass(frozen=True, slots=True)
class Bounds:
    """Up to when a run may ask (epoch ms), what it may use up, and how it lets time pass.

    `over` is why it is handed over once its time is.
    """

    plan: AgentPlan
    until: Millis
    over: Reason
    clock: Clock
    stopping: Callable[[], bool] = lambda: False
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    share: Callable[[], float] = random.random

    @classmethod
    def of(
        cls,
        plan: AgentPlan,
        began_at: Millis,
        deadline: Millis,
        clock: Clock,
        stopping: Callable[[], bool] = lambda: False,
    ) -> "Bounds":
        """Of a worker that began then, on a run that is to have asked for the last time before `deadline`."""
        until = began_at + int(plan.budgets.seconds * 1_000)
        return cls(plan, min(until, deadline), "seconds" if until < deadline else "deadline", clock, stopping)

    def left_s(self) -> float:
        """Raises `BreachError` if nothing is left."""
        left = self.until - self.clock()
        if left <= 0:
            raise BreachError(self.over, "the run's time is over")
        return left / 1_000

    def check(self, cursor: Cursor) -> None:
        """Whether there may be one more request. Raises `BreachError`, and `Unavailable` if we end."""
        if self.stopping():
            # it takes up to a minute until the last answer: another worker goes on from the journal
            raise Unavailable("this worker", "it was asked to stop")
        budgets, behind = self.plan.budgets, cursor.behind
        if sum(isinstance(step, Asked) for step in behind) >= budgets.steps:
            raise BreachError("steps", f"{budgets.steps} requests were made")
        answers = [step for step in behind if isinstance(step, Answered)]
        if sum(step.input_tokens + step.output_tokens for step in answers) >= budgets.tokens:
            raise BreachError("tokens", f"{budgets.tokens} tokens were used")
        self.left_s()
