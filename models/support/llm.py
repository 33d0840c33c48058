"""Language model calls: each request once in a run, journaled, and within the budget."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from openai import AsyncOpenAI
from pydantic_ai.exceptions import AgentRunError
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelRequest, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider
from pydantic_ai.settings import ModelSettings

from models.support.answering import AskAgain, BreachError, NoLlmError, pause, reaction
from models.support.bounds import Bounds
from models.support.cursor import Cursor, DivergedError
from models.support.plan import Llm
from models.support.steps import Answered, Asked

log = logging.getLogger(__name__)

NO_KEY = "no-key"
"""What a server is told that asks for none: the client insists on one."""
_CHARACTERS_PER_TOKEN = 4

Connect = Callable[[Llm], AbstractAsyncContextManager[Model]]
"""A connection for one run: it belongs to the run's event loop. Raises `NoLlmError` if there is none."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible endpoint, such as `https://api.openai.com/v1`."""

    base_url: str | None
    api_key: str | None = None

    @asynccontextmanager
    async def connect(self, llm: Llm) -> AsyncIterator[Model]:
        """A connection to it. Raises `NoLlmError` if none is configured."""
        if self.base_url is None:
            raise NoLlmError("no endpoint is configured")
        # what is repeated, and for how long, is decided here and not in the client
        client = AsyncOpenAI(
            base_url=self.base_url, api_key=self.api_key or NO_KEY, max_retries=0, timeout=llm.timeout_s
        )
        async with client:
            yield OpenAIChatModel(llm.model, provider=OpenAICompatibleProvider("llm", openai_client=client))


class JournaledModel(WrapperModel):
    """The run's model: what the journal answers is not asked again, and what is asked stands there first."""

    def __init__(self, wrapped: Model, cursor: Cursor, bounds: Bounds) -> None:
        super().__init__(wrapped)
        self._cursor = cursor
        self._bounds = bounds
        self._calls = 0
        self._seen = 0

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """The answer to these messages. Raises `NoLlmError`, `BreachError`, and what the cursor raises."""
        self._calls += 1
        new, self._seen = messages[self._seen :], len(messages)
        if self._cursor.recorded(Asked) is None:
            self._bounds.check(self._cursor)
            self._cursor.add(Asked(self._calls, _requests(new)))
        elif (answered := self._cursor.recorded(Answered)) is not None:
            return _recorded(answered)
        response, answered = await self._ask(messages, model_settings, model_request_parameters)
        self._cursor.add(answered)
        return response

    async def _ask(
        self, messages: list[ModelMessage], settings: ModelSettings | None, parameters: ModelRequestParameters
    ) -> tuple[ModelResponse, Answered]:
        bounds, llm = self._bounds, self._bounds.plan.llm
        patient_until = bounds.clock() + llm.patience_s * 1_000
        failures = 0
        while True:
            try:
                async with asyncio.timeout(min(llm.timeout_s, bounds.left_s())):
                    response = await self.wrapped.request(messages, settings, parameters)
                # written out here: half a surrogate pair, which no journal holds, is no answer either
                return response, _answered(self._calls, messages, response)
            except (AgentRunError, TimeoutError, LookupError, TypeError, ValueError) as error:
                # beside its own errors, pydantic-ai lets through what an answer of another shape makes of it
                failures += 1
                wait = self._wait(error, failures, patient_until)
                log.info("request %d failed, repeated in %.1f s: %s", self._calls, wait, type(error).__name__)
            await bounds.sleep(wait)

    def _wait(self, error: Exception, failures: int, patient_until: float) -> float:
        """Seconds until the request is repeated; raises what ends the run where it is not."""
        next_step = reaction(error)
        if not isinstance(next_step, AskAgain):
            raise next_step from error
        wait = pause(failures, next_step.after_s, self._bounds.share())
        if self._bounds.clock() + wait * 1_000 > patient_until:
            raise next_step.given_up from error
        if wait > self._bounds.left_s():
            no_time = f"no time is left to ask again: {next_step.given_up}"
            raise BreachError(self._bounds.over, no_time) from error
        return wait


def _recorded(answered: Answered) -> ModelResponse:
    """The response of the journal. Raises `DivergedError` if this code cannot read it."""
    try:
        [response] = ModelMessagesTypeAdapter.validate_json(answered.response)
    except ValueError as error:
        raise DivergedError(f"answer {answered.call} cannot be read any more") from error
    if not isinstance(response, ModelResponse):
        raise DivergedError(f"a {response.kind} stands in the place of answer {answered.call}")
    return response


def _requests(messages: list[ModelMessage]) -> str:
    # the answers stand there already, and the instructions with the run's beginning
    asked: list[ModelMessage] = [message for message in messages if isinstance(message, ModelRequest)]
    return ModelMessagesTypeAdapter.dump_json(asked, exclude={"__all__": {"instructions"}}).decode()


def _answered(call: int, messages: list[ModelMessage], response: ModelResponse) -> Answered:
    text, usage = ModelMessagesTypeAdapter.dump_json([response]).decode(), response.usage
    # an endpoint that does not count would have no budget
    uncounted = len(ModelMessagesTypeAdapter.dump_json(messages)) // _CHARACTERS_PER_TOKEN
    return Answered(
        call=call,
        response=text,
        input_tokens=usage.input_tokens or uncounted,
        output_tokens=usage.output_tokens or len(text) // _CHARACTERS_PER_TOKEN,
    )
