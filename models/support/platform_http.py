"""A support platform over HTTP: idempotency keys, time-outs, and retries of what may be asked twice."""

import random
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx2
import msgspec

from events.decision import Millis
from events.errors import Unavailable
from models.support import timely
from models.support.actions import Action, Tool, tool_of
from models.support.platform import (
    DEPENDENCY,
    AlreadyEndedError,
    HandOver,
    Order,
    Receipt,
    RefusalError,
    Resolution,
    TicketRef,
    UnconfirmedError,
)
from models.support.repeating import TOO_MANY, Patience, asks_again, retry_after_s
from transport.clock import Clock, system_clock
from transport.http import parse_address

KEY: Final = "Idempotency-Key"
VARIABLE = "SUPPORT_PLATFORM_URL"
ATTEMPT_S, CONNECT_S = 5.0, 2.0
LEAST_S = 2.0
"""What a call has however late it is: what was decided is still to be done and told."""
FOLDERS: Final[Mapping[Tool, str]] = MappingProxyType(
    {"issue_refund": "refunds", "send_voucher": "vouchers", "escalate_to_human": "escalations"}
)
"""Where the platform takes each tool's actions."""
_CONFLICT = 409
"""To an action under a key: somebody else is having it done, as the draft of the header's RFC has it. To a
ticket's end: it has another one."""
_NOT_FOUND, _FIRST_REDIRECT, _FIRST_REFUSAL = 404, 300, 400
_OUR_CREDENTIALS = frozenset({401, 403, 407})
_LONGEST_REASON = 300
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)

T = TypeVar("T")


class HttpPlatform:
    """A `SupportPlatform` behind a base URL. One for all threads of a process, made after the fork.

    It keeps an action's key for `key_life` ms; with 0, an action is never sent twice unless it surely did not
    arrive. Orders, resolutions and hand-overs may be repeated anyway: a GET, and PUTs.
    """

    def __init__(
        self,
        client: httpx2.Client,
        *,
        key_life: Millis = 0,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Clock = system_clock,
        until: Millis | None = None,
    ) -> None:
        self._key_life = key_life
        self._client = client
        self._patience = patience or Patience()
        self._sleep = sleep
        self._clock = clock
        self._until = until

    @property
    def key_life(self) -> Millis:
        """As the Protocol says."""
        return self._key_life

    def within(self, until: Millis) -> "HttpPlatform":
        """As the Protocol says. It shares this one's connections."""
        return HttpPlatform(
            self._client,
            key_life=self._key_life,
            patience=self._patience,
            sleep=self._sleep,
            clock=self._clock,
            until=until,
        )

    def order(self, tenant_id: str, order_id: str) -> Order | None:
        """As the Protocol says."""
        try:
            answer = self._ask("GET", _path(tenant_id, "orders", order_id))
        except _AbsentError:
            return None
        return _decoded(answer, Order)

    def act(self, key: str, ticket: TicketRef, action: Action) -> Receipt:
        """As the Protocol says."""
        body = {**msgspec.to_builtins(ticket), **msgspec.to_builtins(action)}
        path = _path(ticket.tenant_id, FOLDERS[tool_of(action)])
        answer = self._ask("POST", path, key, body, again=self._key_life > 0)
        try:
            return _decoded(answer, Receipt)
        except Unavailable as error:
            if self._key_life:
                raise
            raise UnconfirmedError(str(error)) from error

    def resolve(self, key: str, ticket: TicketRef, resolution: Resolution) -> Receipt:
        """As the Protocol says."""
        return self._close(key, ticket, "resolution", resolution)

    def hand_over(self, key: str, ticket: TicketRef, hand_over: HandOver) -> Receipt:
        """As the Protocol says."""
        return self._close(key, ticket, "hand-over", hand_over)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _close(self, key: str, ticket: TicketRef, how: str, end: Resolution | HandOver) -> Receipt:
        body = {**msgspec.to_builtins(ticket), **msgspec.to_builtins(end)}
        path = _path(ticket.tenant_id, "tickets", ticket.ticket_id, how)
        try:
            answer = self._ask("PUT", path, key, body)
        except _ConflictError as error:
            raise AlreadyEndedError(error.reason) from error
        return _decoded(answer, Receipt)

    def _ask(
        self, method: str, path: str, key: str | None = None, body: Any = None, *, again: bool = True
    ) -> httpx2.Response:
        began, attempt, spent_s = self._clock(), 0, 0.0
        patience = self._patience
        if self._until is not None:
            patience = patience.capped(self._until - began, LEAST_S)
        if method == "POST" and again:
            # the last attempt must find the first one's key
            patience = patience.capped(self._key_life // 2, 0)
        while True:
            attempt += 1
            asked_s: float | None = None
            # haste would leave in doubt what is sent only once
            left_s = patience.total_s - spent_s if again else ATTEMPT_S
            attempt_s = min(ATTEMPT_S, max(patience.least_s, left_s))
            try:
                response = self._once(method, path, key, body, attempt_s)
            except httpx2.RequestError as error:
                if not again and not isinstance(error, _NEVER_SENT):
                    raise UnconfirmedError(f"the {DEPENDENCY} did not answer: {_told(error)}") from error
                reason = _told(error)
            else:
                under_way = response.status_code == _CONFLICT and method == "POST" and again
                if not again and _may_be_done(response.status_code):
                    raise UnconfirmedError(f"the {DEPENDENCY} failed: HTTP {response.status_code}")
                if not under_way and not asks_again(response.status_code):
                    return _judged(response)
                reason = f"HTTP {response.status_code}"
                asked_s = retry_after_s(response.headers, self._clock())
            spent_s = (self._clock() - began) / 1_000
            jitter = random.random()  # noqa: S311  # spreads load, guards nothing
            pause_s = patience.pause_s(attempt, spent_s, asked_s, jitter)
            if pause_s is None:
                raise Unavailable(DEPENDENCY, f"{reason}, {attempt} attempts")
            self._sleep(pause_s)
            spent_s = (self._clock() - began) / 1_000

    def _once(self, method: str, path: str, key: str | None, body: Any, within_s: float) -> httpx2.Response:
        headers = {} if key is None else {KEY: key}
        content = None if body is None else msgspec.json.encode(body)
        if content is not None:
            headers["Content-Type"] = "application/json"
        return timely.ask(
            self._client,
            method,
            path,
            headers=headers,
            content=content,
            connect_s=CONNECT_S,
            within_s=within_s,
            clock=self._clock,
        )


class _AbsentError(RefusalError):
    """There is nothing of that name."""


class _ConflictError(RefusalError):
    """What is there speaks against it."""


_REFUSALS: Final[Mapping[int, type[RefusalError]]] = MappingProxyType(
    {_NOT_FOUND: _AbsentError, _CONFLICT: _ConflictError}
)


def connect_platform(url: str, token: str | None, *, key_life: Millis = 0) -> HttpPlatform:
    """The platform at a URL, which may carry a user and a password. Raises `ConfigError` if it is none."""
    address = parse_address(url, VARIABLE)
    headers = dict(address.headers)
    if token:
        headers["Authorization"] = f"Bearer {token}"
    # a redirect would repeat an action elsewhere
    client = httpx2.Client(base_url=address.base, headers=headers, follow_redirects=False)
    return HttpPlatform(client, key_life=key_life)


def _path(*parts: str) -> str:
    # an id is whatever a producer wrote: it must not leave its place in the path
    return "/api/" + "/".join(_segment(part) for part in parts)


def _segment(part: str) -> str:
    quoted = quote(part, safe="", errors="replace")
    return quoted.replace(".", "%2E") if quoted.strip(".") == "" else quoted


def _may_be_done(status: int) -> bool:
    """Whether an answer that neither confirms nor refuses leaves it open: a redirect may come after it."""
    redirected = _FIRST_REDIRECT <= status < _FIRST_REFUSAL
    return redirected or (asks_again(status) and status != TOO_MANY)


def _judged(response: httpx2.Response) -> httpx2.Response:
    status = response.status_code
    if status < _FIRST_REDIRECT:
        return response
    if status < _FIRST_REFUSAL or status in _OUR_CREDENTIALS:
        # ours to put right, and nothing about this call: a person who takes the ticket could not be told
        raise Unavailable(DEPENDENCY, f"HTTP {status}: look at {VARIABLE} and SUPPORT_PLATFORM_TOKEN")
    raise _REFUSALS.get(status, RefusalError)(_reason(response))


def _reason(response: httpx2.Response) -> str:
    try:
        said = msgspec.json.decode(response.content, type=dict[str, Any]).get("error")
    except msgspec.MsgspecError:
        said = None
    return (said if isinstance(said, str) else f"HTTP {response.status_code}")[:_LONGEST_REASON]


def _decoded(response: httpx2.Response, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(response.content, type=kind)
    except msgspec.MsgspecError as error:
        raise Unavailable(DEPENDENCY, f"its answer cannot be read: {error}") from error


def _told(error: httpx2.RequestError) -> str:
    return str(error) or type(error).__name__
