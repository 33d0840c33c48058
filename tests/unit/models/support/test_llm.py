"""Calls of the language model: their number, their time, and those that are never repeated."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec
import pytest
from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelRateLimitError,
)
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import RequestUsage

from models.support.answering import BreachError, NoLlmError
from models.support.bounds import Bounds
from models.support.cursor import Cursor, DivergedError
from models.support.llm import Endpoint, JournaledModel
from models.support.plan import AgentPlan
from models.support.steps import Answered, Asked
from tests.unit.models.support.agents import NOON, PLAN
from tests.unit.models.support.runs import PlainRun

QUESTION: list[ModelMessage] = [ModelRequest.user_text_prompt("My mug came broken.")]
GOOD = ModelResponse(parts=[TextPart("ok")], usage=RequestUsage(input_tokens=100, output_tokens=20))
HALF = ModelResponse(parts=[TextPart("\ud83d")])
BUSY = ModelRateLimitError("m", "busy")


class Time:
    """It passes where somebody sleeps, and `step` ms with each look."""

    def __init__(self, step: int = 0) -> None:
        self.now = NOON
        self.slept: list[float] = []
        self._step = step

    def __call__(self) -> int:
        self.now += self._step
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += int(seconds * 1_000)


class Endless:
    """Replies in order, the last one for ever."""

    def __init__(self, *replies: ModelResponse | Exception) -> None:
        self._replies = list(replies)
        self.asked = 0

    def __call__(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        self.asked += 1
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply


def bounds(time: Time, plan: AgentPlan = PLAN, deadline: int = NOON + 80_000) -> Bounds:
    return replace(Bounds.of(plan, NOON, deadline, time), sleep=time.sleep, share=lambda: 0.5)


def ask(run: PlainRun, replies: Callable[..., ModelResponse], of: Bounds, times: int = 1) -> ModelResponse:
    async def requests() -> ModelResponse:
        model, parameters = JournaledModel(FunctionModel(replies), Cursor(run), of), ModelRequestParameters()
        said = list(QUESTION)
        for _ in range(times):
            answer = await model.request(said, None, parameters)
            said += [answer, *QUESTION]
        return answer

    return asyncio.run(requests())


def test_a_request_stands_in_the_journal_before_and_after_its_answer() -> None:
    run = PlainRun()
    answer = ask(run, Endless(GOOD), bounds(Time()))
    assert answer.parts == GOOD.parts
    asked, answered = run.steps
    assert isinstance(asked, Asked)
    assert "My mug came broken." in asked.messages
    assert isinstance(answered, Answered)
    assert (answered.call, answered.input_tokens > 0, answered.output_tokens > 0) == (1, True, True)


def test_each_request_is_journaled_with_what_is_new_in_it() -> None:
    run = PlainRun()
    ask(run, Endless(GOOD), bounds(Time()), times=3)
    asked = [step for step in run.steps if isinstance(step, Asked)]
    assert [step.call for step in asked] == [1, 2, 3]
    assert [len(msgspec.json.decode(step.messages)) for step in asked] == [1, 1, 1]


def test_what_was_answered_is_never_asked_again() -> None:
    run = PlainRun()
    ask(run, Endless(GOOD), bounds(Time()), times=2)
    replies = Endless(GOOD)
    ask(PlainRun(run.steps[:3]), replies, bounds(Time()), times=2)
    assert replies.asked == 1
    replies = Endless(GOOD)
    ask(PlainRun(run.steps), replies, bounds(Time()), times=2)
    assert replies.asked == 0


@pytest.mark.parametrize(
    "failures",
    [
        pytest.param([BUSY, BUSY], id="busy"),
        pytest.param([ModelConnectionError("m", "refused")], id="not there"),
        pytest.param([ModelAPIError("m", "no JSON"), IndexError()], id="unreadable"),
        pytest.param([HALF], id="no text that can be written down"),
    ],
)
def test_a_failure_that_passes_is_waited_out(failures: Sequence[ModelResponse | Exception]) -> None:
    time, replies = Time(), Endless(*failures, GOOD)
    assert ask(PlainRun(), replies, bounds(time)).parts == GOOD.parts
    assert replies.asked == len(failures) + 1
    assert len(time.slept) == len(failures)


@pytest.mark.parametrize(
    "response",
    [
        pytest.param("[]", id="none"),
        pytest.param('[{"kind": "answer"}]', id="of another library"),
        pytest.param('[{"kind": "request", "parts": []}]', id="a request"),
    ],
)
def test_an_answer_of_the_journal_that_this_code_cannot_read_ends_the_run(response: str) -> None:
    answered = Answered(call=1, response=response, input_tokens=1, output_tokens=1)
    with pytest.raises(DivergedError, match="answer 1"):
        ask(PlainRun([Asked(1, "[]"), answered]), Endless(GOOD), bounds(Time()))


def test_an_endpoint_that_says_when_to_come_is_not_asked_before() -> None:
    time = Time()
    ask(PlainRun(), Endless(ModelRateLimitError("m", "busy", retry_after=5.0), GOOD), bounds(time))
    assert time.slept[0] >= 5.0


@pytest.mark.parametrize(
    ("failure", "raised"),
    [
        pytest.param(BUSY, NoLlmError, id="an endpoint that stays busy is none"),
        pytest.param(ModelAPIError("m", "no JSON"), BreachError, id="one that stays unreadable is a breach"),
        pytest.param(HALF, BreachError, id="one whose answers cannot be written down is one too"),
        pytest.param(
            ModelRateLimitError("m", "busy", retry_after=60.0),
            NoLlmError,
            id="one that asks for a minute",
        ),
    ],
)
def test_patience_has_an_end(failure: ModelResponse | Exception, raised: type[Exception]) -> None:
    time = Time()
    with pytest.raises(raised):
        ask(PlainRun(), Endless(failure), bounds(time))
    assert time.now - NOON <= PLAN.llm.patience_s * 1_000


def test_what_will_not_pass_is_not_waited_for() -> None:
    time, replies = Time(), Endless(ModelAuthenticationError("m", "no"))
    with pytest.raises(NoLlmError):
        ask(PlainRun(), replies, bounds(time))
    assert (replies.asked, time.slept) == (1, [])


@pytest.mark.parametrize(
    ("deadline", "reason"),
    [
        pytest.param(NOON + 80_000, "seconds", id="of the run"),
        pytest.param(NOON + 5_000, "deadline", id="of the ticket"),
    ],
)
def test_the_time_has_an_end(deadline: int, reason: str) -> None:
    time, replies = Time(step=3_000), Endless(GOOD)
    with pytest.raises(BreachError) as breach:
        ask(PlainRun(), replies, bounds(time, deadline=deadline), times=100)
    assert breach.value.reason == reason


def test_without_an_address_there_is_no_endpoint() -> None:
    async def connect() -> None:
        async with Endpoint(None).connect(PLAN.llm):
            raise AssertionError("connected")

    with pytest.raises(NoLlmError):
        asyncio.run(connect())
