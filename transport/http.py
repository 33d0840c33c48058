"""How is a server asked over HTTP? The address with its password, and one request by the standard library."""

import base64
from collections.abc import Mapping
from http.client import HTTPException
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from events.errors import ConfigError, Problem, SignalboxError, Unavailable

MAX_ANSWER_BYTES = 1_000_000_000
_SERVER_ERRORS = 500


class Address(NamedTuple):
    """A base URL without user and password, and the headers that say them."""

    base: str
    headers: Mapping[str, str]


class RefusedError(SignalboxError):
    """The server is there and will not: `status` is its answer's, `body` what it said."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"HTTP {status}: {body[:200].decode(errors='replace')}")
        self.status = status
        self.body = body


def parse_address(url: str, variable: str) -> Address:
    """`url` may carry a user and a password. Raises `ConfigError` where it is none of HTTP."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        sound = False
    if not sound:
        # without the value: it may hold a password
        raise ConfigError([Problem("environment", 0, variable, "must be http://… or https://…")])
    headers = {}
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(user.encode()).decode("ascii")
    host = parts.netloc.rpartition("@")[2]
    return Address(urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", "")), headers)


class Server:
    """One server by its address. Use it from any thread: each call is a connection of its own.

    Every method raises `Unavailable`, also where the server fails inside, and `RefusedError`.
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
        headers = self._headers() | {"Content-Type": "application/json"}
        return self._ask(Request(f"{self._address.base}{path}", body, headers, method="POST"))  # noqa: S310  # HTTP: checked

    def _headers(self) -> dict[str, str]:
        return dict(self._address.headers)

    def _ask(self, request: Request) -> bytes:
        try:
            with urlopen(request, timeout=self._timeout_s) as answer:  # noqa: S310  # HTTP: checked
                body: bytes = answer.read(MAX_ANSWER_BYTES)
                return body
        except HTTPError as error:
            with error:
                if error.code >= _SERVER_ERRORS:
                    raise Unavailable(self._name, error) from error
                raise RefusedError(error.code, _read(error)) from error
        except (OSError, HTTPException) as error:
            raise Unavailable(self._name, error) from error


def _read(error: HTTPError) -> bytes:
    try:
        return error.read(MAX_ANSWER_BYTES)
    except (OSError, HTTPException):
        return b""
