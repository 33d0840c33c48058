"""The support desk's HTTP API for the agent, and its page for people."""

from collections.abc import Callable
from hmac import compare_digest
from typing import Final, get_args

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from events.errors import Unavailable
from models.support.platform import Receipt
from stack.support_desk.books import Books, NotDoneError
from stack.support_desk.faults import DeskFaults, Failing
from stack.support_desk.page import page
from stack.support_desk.shelf import Shelf
from stack.support_desk.told import Doing, Ending, Folder, How

KEY: Final = "Idempotency-Key"
SHOWN = 200
# a page of hostile texts: whatever slips through may neither run nor send anything
SHIELD: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Desk:
    """The endpoints. `token` is what the agent must show; None asks for none."""

    def __init__(self, books: Books, shelf: Shelf, token: str | None = None) -> None:
        self._books = books
        self._shelf = shelf
        self._token = token
        self._failing = Failing()

    def app(self) -> Starlette:
        """As an ASGI application, for this machine only."""
        routes = [
            Route("/", self.page),
            Route("/health", _health),
            Route("/api/counts", self.counts),
            Route("/api/files", self.files),
            Route("/faults", self.fail, methods=["POST"]),
            Route("/api/{tenant}/orders/{order:path}", self.order),
            Route("/api/{tenant}/tickets/{ticket:path}/{how}", self.end, methods=["PUT"]),
            Route("/api/{tenant}/{folder}", self.act, methods=["POST"]),
        ]
        # a page elsewhere that resolves its name to this machine is not let in
        hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])
        return Starlette(
            routes=routes,
            middleware=[hosts],
            exception_handlers={
                NotDoneError: _not_done,
                Unavailable: _unavailable,
                msgspec.MsgspecError: _unreadable,
            },
        )

    async def page(self, _request: Request) -> Response:
        """Everything, for a person."""
        files = await run_in_threadpool(self._shelf.files, SHOWN)
        counts = await run_in_threadpool(self._shelf.counts)
        return HTMLResponse(page(files, counts), headers=SHIELD)

    async def counts(self, request: Request) -> Response:
        """Everything, at a glance."""
        self._admit(request)
        return _json((await run_in_threadpool(self._shelf.counts))._asdict())

    async def files(self, request: Request) -> Response:
        """Everything, for a program."""
        self._admit(request)
        return _json(await run_in_threadpool(self._shelf.files))

    async def order(self, request: Request) -> Response:
        """One order."""
        self._admit(request)
        order = await run_in_threadpool(
            self._books.order, request.path_params["tenant"], request.path_params["order"]
        )
        if order is None:
            raise NotDoneError(404, "no such order")
        return _json(order)

    async def act(self, request: Request) -> Response:
        """Carry an action out."""
        key = self._admit(request, keyed=True)
        folder = request.path_params["folder"]
        if folder not in get_args(Folder):
            raise NotDoneError(404, "no such action")
        doing = msgspec.json.decode(await request.body(), type=Doing)
        return await self._under(key, lambda: self._books.act(key, folder, doing))

    async def end(self, request: Request) -> Response:
        """End a ticket."""
        key = self._admit(request, keyed=True)
        how = request.path_params["how"]
        if how not in get_args(How):
            raise NotDoneError(404, "a ticket ends by a resolution or a hand-over")
        ending = msgspec.json.decode(await request.body(), type=Ending)
        return await self._under(key, lambda: self._books.end(key, how, ending))

    async def fail(self, request: Request) -> Response:
        """Fail from now on as `DeskFaults` say."""
        self._admit(request)
        self._failing.faults = msgspec.json.decode(await request.body(), type=DeskFaults)
        return _json(self._failing.faults)

    async def _under(self, key: str, do: Callable[[], Receipt]) -> Response:
        fault = self._failing.draw(key)
        if fault == "refused":
            raise Unavailable("support desk", "as it was told to be")
        receipt = await run_in_threadpool(do)
        if fault == "lost":
            raise Unavailable("support desk", "its answer is lost, as it was told")
        return _json(receipt)

    def _admit(self, request: Request, *, keyed: bool = False) -> str:
        """The request's key. Raises `NotDoneError`."""
        shown = request.headers.get("Authorization", "").encode()
        if self._token is not None and not compare_digest(shown, f"Bearer {self._token}".encode()):
            raise NotDoneError(401, "this token opens nothing")
        key = request.headers.get(KEY, "")
        if keyed and not key:
            raise NotDoneError(400, f"an action needs the header {KEY}")
        return key


def _json(what: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(what), status, media_type="application/json")


async def _health(_request: Request) -> Response:
    return _json({"status": "ok"})


async def _not_done(_request: Request, error: Exception) -> Response:
    return _json({"error": str(error)}, getattr(error, "status", 500))


async def _unavailable(_request: Request, error: Exception) -> Response:
    return _json({"error": str(error)}, 503)


async def _unreadable(_request: Request, error: Exception) -> Response:
    return _json({"error": f"the body: {error}"}, 400)
