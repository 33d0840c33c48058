"""The scripted server's HTTP API, as an endpoint of OpenAI's kind."""

import asyncio
import time
from collections.abc import Callable

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stack.scripted_llm.embeddings import vector
from stack.scripted_llm.faults import Failing, LlmFaults
from stack.scripted_llm.reading import Conversation, read
from stack.scripted_llm.script import next_call
from stack.scripted_llm.wire import NAME, Asked, ToEmbed, called, completion, problem, refused

Say = Callable[[str], None]


class ScriptedLlm:
    """The endpoints. Each answer takes `delay_s`; `say` is told a line for each."""

    def __init__(self, delay_s: float, say: Say) -> None:
        self._delay_s = delay_s
        self._say = say
        self._failing = Failing()
        self._running = self._most = 0

    def app(self) -> Starlette:
        """As an ASGI application, for this machine only."""
        routes = [
            Route("/health", self.health),
            Route("/faults", self.fail, methods=["POST"]),
            Route("/v1/models", _models),
            Route("/v1/chat/completions", self.complete, methods=["POST"]),
            Route("/v1/embeddings", self.embed, methods=["POST"]),
        ]
        hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])
        return Starlette(routes=routes, middleware=[hosts])

    async def health(self, _request: Request) -> Response:
        """That it runs, what came so far, and how many requests it held at once at most."""
        return _json({"is": NAME, "answers": self._failing.counts, "most_at_once": self._most})

    async def fail(self, request: Request) -> Response:
        """Fail from now on as `LlmFaults` say."""
        try:
            self._failing.faults = msgspec.json.decode(await request.body(), type=LlmFaults)
        except msgspec.MsgspecError as error:
            return _json(problem("invalid_request_error", str(error)), 400)
        self._say(f"fails from now on: {self._failing.faults}")
        return _json(self._failing.faults)

    async def complete(self, request: Request) -> Response:
        """The next thing that the script says."""
        body = await request.body()
        try:
            asked = msgspec.json.decode(body, type=Asked)
        except msgspec.MsgspecError as error:
            return _json(problem("invalid_request_error", str(error)), 400)
        if asked.stream:
            return _json(problem("invalid_request_error", "this script is not streamed"), 400)
        self._running += 1
        self._most = max(self._most, self._running)
        try:
            return await self._answer(read(asked), body)
        finally:
            self._running -= 1

    async def _answer(self, conversation: Conversation, body: bytes) -> Response:
        call, drawn = (
            conversation.answers + 1,
            self._failing.draw(conversation.ticket_id, conversation.answers),
        )
        faults = self._failing.faults
        if drawn.fault in ("down", "rate_limited"):
            return self._turned_away(conversation, call, drawn.fault)
        await asyncio.sleep(faults.slow_s if drawn.fault == "slow" else self._delay_s)
        tool, arguments = next_call(conversation)
        text = msgspec.json.encode(arguments).decode()
        if drawn.fault == "arguments":
            text = text[: len(text) // 2]
        call_id = f"call-{call}-{drawn.attempt}"
        message = refused() if drawn.fault == "refusal" else called(call_id, tool, text)
        said = completion(message, body.decode(errors="replace"), int(time.time()))
        if drawn.fault == "empty":
            said["choices"] = []
        self._say(f"ticket {conversation.ticket_id}, call {call}: {drawn.fault or tool}")
        encoded = msgspec.json.encode(said)
        return _raw(encoded[: len(encoded) // 2] if drawn.fault == "body" else encoded)

    def _turned_away(self, conversation: Conversation, call: int, fault: str) -> Response:
        self._say(f"ticket {conversation.ticket_id}, call {call}: {fault}")
        if fault == "down":
            return _json(problem("server_error", "told to be down"), 503)
        response = _json(problem("rate_limit_exceeded", "told to be too busy"), 429)
        response.headers["Retry-After"] = str(self._failing.faults.retry_after_s)
        return response

    async def embed(self, request: Request) -> Response:
        """A vector for each text."""
        try:
            asked = msgspec.json.decode(await request.body(), type=ToEmbed)
        except msgspec.MsgspecError as error:
            return _json(problem("invalid_request_error", str(error)), 400)
        texts = [asked.input] if isinstance(asked.input, str) else asked.input
        if self._failing.faults.down >= 1:
            return _json(problem("server_error", "told to be down"), 503)
        vectors = [
            {"object": "embedding", "index": index, "embedding": vector(text)}
            for index, text in enumerate(texts)
        ]
        usage = {"prompt_tokens": sum(map(len, texts)) // 4, "total_tokens": sum(map(len, texts)) // 4}
        return _json({"object": "list", "model": NAME, "data": vectors, "usage": usage})


async def _models(_request: Request) -> Response:
    return _json({"object": "list", "data": [{"id": NAME, "object": "model", "owned_by": "signalbox"}]})


def _json(what: object, status: int = 200) -> Response:
    return _raw(msgspec.json.encode(what), status)


def _raw(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")
