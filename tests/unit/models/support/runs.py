"""A run of the agent with a model that plays a script, a platform in memory, and a journal that can break."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, FunctionModel
from sqlalchemy import Connection

from models.support.answering import NoLlmError
from models.support.assignment import Assignment, Surroundings
from models.support.passage import Passage
from models.support.plan import AgentPlan, Llm
from models.support.steps import Step
from models.support.ticket import Ticket
from tests.memory_platform import MemoryPlatform
from tests.unit.models.support.agents import NOON, PLAN, TODAY, order, ticket

Reply = ModelResponse | Exception
DEADLINE = NOON + 90_000


def called(tool: str, **arguments: Any) -> ModelResponse:
    """The model calls one tool."""
    return ModelResponse(parts=[ToolCallPart(tool, arguments, tool_call_id=f"call-{tool}")])


def searched(query: str = "broken mug") -> ModelResponse:
    """It searches the policies."""
    return called("search_policies", query=query)


def refunded(amount: int = 1_000, **changes: Any) -> ModelResponse:
    """It gives money back."""
    arguments = {"order_id": "o-1", "amount_minor": amount, "currency": "GBP", "reason": "broken"}
    return called("issue_refund", **(arguments | changes))


def escalated() -> ModelResponse:
    """It asks for a person."""
    return called("escalate_to_human", reason="a lawyer writes")


def drafted(reply: str = "We refund 10.00 GBP.", promised: int = 1_000, **changes: Any) -> ModelResponse:
    """It hands its draft in."""
    amounts = [{"amount_minor": promised, "currency": "GBP"}] if promised else []
    said = {"reply": reply, "summary": "A mug broke.", "cites": ["SUP-01"], "promised": amounts}
    return called("final_result", **(said | changes))


def spoken(text: str) -> ModelResponse:
    """It only talks."""
    return ModelResponse(parts=[TextPart(text)])


ORDINARY = (searched(), searched("refund for damage"), refunded(), drafted())
HANDED = drafted("A colleague looks into it.", promised=0)


class Script:
    """Answers the nth request of a run with the nth reply, whoever asks; counts how often each was asked."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        self._replies = replies
        self.asked: list[int] = []

    def answer(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        number = sum(isinstance(message, ModelResponse) for message in messages)
        self.asked.append(number)
        reply = self._replies[number]
        if isinstance(reply, Exception):
            raise reply
        return reply

    @asynccontextmanager
    async def connect(self, llm: Llm) -> AsyncIterator[Model]:
        yield FunctionModel(self.answer)


@asynccontextmanager
async def nowhere(llm: Llm) -> AsyncIterator[Model]:
    """No endpoint is configured."""
    raise NoLlmError("no endpoint is configured")
    yield


class Shelf:
    """One policy, whatever is asked."""

    digest = "d" * 64
    namespaces = ("support-policies", "shipping")

    def __init__(self) -> None:
        self.queries: list[str] = []

    def search(self, query: str, namespace: str, k: int = 5) -> tuple[Passage, ...]:
        self.queries.append(query)
        text = "What arrives broken is refunded."
        return (Passage(document="SUP-01", title="Damage", section="Refunds", text=text, score=1.0),)


class CrashError(BaseException):
    """The process is killed: nothing of this project catches it."""


class PlainRun:
    """A `JournaledRun` in memory. Killed before or after it writes its nth step."""

    def __init__(self, steps: Sequence[Step] = (), *, dies_at: int = 0, written: bool = True) -> None:
        self.run_id = "pred_1"
        self.steps: tuple[Step, ...] = tuple(steps)
        self._dies_at = dies_at
        self._written = written

    def append(self, *steps: Step, within: Callable[[Connection], None] | None = None) -> None:
        dies = bool(self._dies_at) and len(self.steps) + len(steps) >= self._dies_at
        if dies and not self._written:
            raise CrashError
        self.steps += steps
        if dies:
            raise CrashError


def surroundings(
    script: Script | None,
    platform: MemoryPlatform | None = None,
    clock: Callable[[], int] = lambda: NOON,
    policies: Shelf | None = None,
) -> Surroundings:
    """What a run works in; without a script no endpoint is there."""
    return Surroundings(
        connect=nowhere if script is None else script.connect,
        policies=policies or Shelf(),
        platform=platform or MemoryPlatform.of([order()]),
        day_of=lambda now: TODAY,
        clock=clock,
    )


def assignment(
    plan: AgentPlan = PLAN,
    of: Ticket | None = None,
    deadline: int = DEADLINE,
    fallback: str | None = None,
    heard: bool = True,
) -> Assignment:
    """One ticket."""
    return Assignment(
        ticket=of or ticket(),
        model_id="ai-support-agent-v1",
        plan=plan,
        instructions="Be kind.",
        customer={"order_count": 3.0},
        deadline=deadline,
        fallback=fallback,
        heard=heard,
    )
