"""Servers over HTTP: the address, what lets this process in, and one request by the standard library."""

import base64
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import SplitResult, unquote, urlencode, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from events.errors import ConfigError, Problem, SignalboxError, Unavailable

MAX_ANSWER_BYTES = 1_000_000_000
MAX_REASON_BYTES = 1_000_000
_SERVER_ERRORS = 500
_PART_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class HttpPlace:
    """A server's URL, which may carry a user and a password, and what else lets a client in.

    `repr` has no secret in it. A bearer token goes before a user and a password.
    """

    url: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: Path | None = None
    """The authorities to trust instead of the system's, as a file of PEM."""


class Address(NamedTuple):
    """A base URL without user and password, the headers that say them, and the authorities to trust."""

    base: str
    headers: Mapping[str, str]
    tls: ssl.SSLContext | None = None


class RefusedError(SignalboxError):
    """The server is there and will not: `status` is its answer's, `body` what it said."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"HTTP {status}: {body[:200].decode(errors='replace')}")
        self.status = status
        self.body = body


def parse_address(place: str | HttpPlace, variable: str) -> Address:
    """Where to ask and how. Raises `ConfigError` if it is no URL of HTTP, or its CA file cannot be used."""
    if isinstance(place, str):
        place = HttpPlace(place)
    url = place.url
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        sound = False
    if not sound:
        # without the value: it may hold a password
        raise ConfigError([Problem("environment", 0, variable, "must be http://… or https://…")])
    host = parts.netloc.rpartition("@")[2]
    base = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
    return Address(base, _authorization(place, parts), _trusted(place.ca, variable))


def _authorization(place: HttpPlace, parts: SplitResult) -> dict[str, str]:
    if place.token:
        return {"Authorization": f"Bearer {place.token}"}
    user, password = place.user, place.password
    if parts.username is not None:
        user, password = unquote(parts.username), unquote(parts.password or "")
    if user is None:
        return {}
    encoded = base64.b64encode(f"{user}:{password or ''}".encode()).decode("ascii")
    return {"Authorization": f"Basic {encoded}"}


def _trusted(ca: Path | None, variable: str) -> ssl.SSLContext | None:
    if ca is None:
        return None
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:
        # a file that is no certificate is an `SSLError`, which is one too
        reason = error.strerror or type(error).__name__
        raise ConfigError([Problem("environment", 0, variable, f"CA file {ca}: {reason}")]) from None


class _Redirects(HTTPRedirectHandler):
    """Follows a redirect to another server without what lets this process into the first one."""

    def redirect_request(self, req: Request, *answer: Any) -> Request | None:  # as urllib names and calls it
        """The request to send next; None for an answer that is no redirect."""
        found = super().redirect_request(req, *answer)
        if found is not None and _origin(found) != _origin(req):
            found.remove_header("Authorization")
        return found


def _origin(request: Request) -> tuple[str, str]:
    return request.type, request.host


def ask(request: Request, timeout_s: float, most: int, tls: ssl.SSLContext | None = None) -> bytes:
    """The body of the answer, but no more than its first `most` bytes.

    `timeout_s` bounds each wait, and the body as a whole: a server that drips is not waited for. Raises
    `HTTPError` for an answer that says no, `OSError` and `HTTPException`.
    """
    opener = build_opener(_Redirects, HTTPSHandler(context=tls))
    with closing(opener.open(request, timeout=timeout_s)) as answer:
        return read_body(answer, timeout_s, most)


def answers(url: str, timeout_s: float = 1) -> bool:
    """Whether a server of our own at `url` (HTTP) answers within `timeout_s` seconds that it is well."""
    try:
        ask(Request(url), timeout_s, MAX_REASON_BYTES)  # noqa: S310  # our own address
    except (OSError, HTTPException):
        return False
    return True


def read_body(answer: Any, timeout_s: float, most: int) -> bytes:
    """The first `most` bytes of an answer's body. Raises `OSError` and `HTTPException`."""
    until, body = monotonic() + timeout_s, bytearray()
    while len(body) < most and (part := answer.read1(min(_PART_BYTES, most - len(body)))):
        body += part
        if monotonic() > until:
            raise TimeoutError(f"the answer was not there within {timeout_s:g} s")
    return bytes(body)


class Server:
    """One server by its address. Use it from any thread: each call is a connection of its own.

    Every method raises `Unavailable`, also if the server fails inside, and `RefusedError`.
    """

    def __init__(self, address: Address, name: str, timeout_s: float) -> None:
        self._address = address
        self._name = name
        self._timeout_s = timeout_s

    def get(self, path: str, /, **query: str) -> bytes:
        """The body of the answer."""
        return self._ask(Request(f"{self._address.base}{path}?{urlencode(query)}", headers=self._headers()))  # noqa: S310  # HTTP: checked

    def post(self, path: str, body: bytes) -> bytes:
        """The body of the answer to one in JSON."""
        return self._send("POST", path, body)

    def put(self, path: str, body: bytes) -> bytes:
        """As `post`, with the method PUT."""
        return self._send("PUT", path, body)

    def _send(self, method: str, path: str, body: bytes) -> bytes:
        headers = self._headers() | {"Content-Type": "application/json"}
        return self._ask(Request(f"{self._address.base}{path}", body, headers, method=method))  # noqa: S310  # HTTP: checked

    def _headers(self) -> dict[str, str]:
        return dict(self._address.headers)

    def _ask(self, request: Request) -> bytes:
        try:
            return ask(request, self._timeout_s, MAX_ANSWER_BYTES, self._address.tls)
        except HTTPError as error:
            with error:
                if error.code >= _SERVER_ERRORS:
                    raise Unavailable(self._name, error) from error
                raise RefusedError(error.code, self._reason(error)) from error
        except (OSError, HTTPException) as error:
            raise Unavailable(self._name, error) from error

    def _reason(self, error: HTTPError) -> bytes:
        try:
            return read_body(error, self._timeout_s, MAX_REASON_BYTES)
        except (OSError, HTTPException):
            return b""
