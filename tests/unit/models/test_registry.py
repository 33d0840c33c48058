"""What is made of each answer of an MLflow server, and of what is none."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from events.errors import ConfigError, Unavailable
from models.artifact import BrokenModelError
from models.registry import CHAMPION, Registry
from models.registry_answers import Version

ABSENT = (404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Model Version not found"})
NO_ALIAS = (400, {"error_code": "INVALID_PARAMETER_VALUE", "message": "alias champion not found"})
FORBIDDEN = (403, {"error_code": "PERMISSION_DENIED", "message": "not you"})
BROKEN = (500, {"error_code": "INTERNAL_ERROR", "message": "the database is away"})


class Server(HTTPServer):
    """Gives its answers one after the other, the last for ever, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, Any]] = [ABSENT]
        self.asked: list[tuple[str, Any, str | None]] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server

    def do_GET(self) -> None:
        """Called by the server."""
        parts = urlsplit(self.path)
        self.server.asked.append((parts.path, parse_qs(parts.query), self.headers.get("Authorization")))
        self._answer()

    def do_POST(self) -> None:
        """Called by the server."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body, self.headers.get("Authorization")))
        self._answer()

    def _answer(self) -> None:
        answers = self.server.answers
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def registry(server: Server) -> Registry:
    return Registry(server.url)


def said(number: str, *tags: tuple[str, str]) -> dict[str, Any]:
    """A version in MLflow's words, with more than is read of it."""
    written = [{"key": key, "value": value} for key, value in tags]
    return {"name": "oracle", "version": number, "creation_timestamp": 7, "status": "READY", "tags": written}


def test_an_alias_names_a_version_and_its_digest(server: Server, registry: Registry) -> None:
    server.answers = [(200, {"model_version": said("3", ("digest", "abc"), ("why", "it is better"))})]
    assert registry.pointed("oracle", CHAMPION) == Version("3", "abc")
    path, query, _ = server.asked[0]
    assert path == "/api/2.0/mlflow/registered-models/alias"
    assert query == {"name": ["oracle"], "alias": ["champion"]}


def test_a_version_that_somebody_else_registered_has_no_digest(server: Server, registry: Registry) -> None:
    server.answers = [(200, {"model_version": {"version": "3"}})]
    assert registry.pointed("oracle", CHAMPION) == Version("3", "")


@pytest.mark.parametrize(
    "answer", [pytest.param(ABSENT, id="no model"), pytest.param(NO_ALIAS, id="no alias")]
)
def test_what_is_not_there_is_no_outage(server: Server, registry: Registry, answer: tuple[int, Any]) -> None:
    server.answers = [answer]
    assert registry.pointed("oracle", CHAMPION) is None


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(BROKEN, id="its database is away"),
        pytest.param(FORBIDDEN, id="it lets us not in"),
        pytest.param((200, b"<html>a proxy</html>"), id="a proxy answers"),
        pytest.param((200, {"something": "else"}), id="another server answers"),
    ],
)
def test_what_is_no_answer_is_an_outage(server: Server, registry: Registry, answer: tuple[int, Any]) -> None:
    server.answers = [answer]
    with pytest.raises(Unavailable, match="model registry is unavailable"):
        registry.pointed("oracle", CHAMPION)


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_file_that_may_not_be_read_now_breaks_no_version(
    status: int, server: Server, registry: Registry
) -> None:
    server.answers = [(status, {})]
    with pytest.raises(Unavailable, match=f"HTTP {status}"):
        registry.read("oracle", "9", "model.txt")


def test_all_pages_are_read_and_the_newest_version_comes_first(server: Server, registry: Registry) -> None:
    server.answers = [
        (200, {"model_versions": [said("9"), said("2")], "next_page_token": "more"}),
        (200, {"model_versions": [said("10")]}),
    ]
    assert [each.number for each in registry.versions("oracle")] == ["10", "9", "2"]
    assert [query.get("page_token") for _, query, _ in server.asked] == [None, ["more"]]
    assert server.asked[0][1]["filter"] == ["name='oracle'"]


def test_a_moved_alias_is_said_in_json(server: Server, registry: Registry) -> None:
    server.answers = [(200, {})]
    registry.point("oracle", CHAMPION, "3")
    assert server.asked[0][1] == {"name": "oracle", "alias": "champion", "version": "3"}


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        pytest.param(
            lambda registry: registry.point("oracle", CHAMPION, "9"),
            ConfigError,
            "oracle v9: Model Version not found",
            id="an alias to a version that is not there",
        ),
        pytest.param(
            lambda registry: registry.read("oracle", "9", "model.txt"),
            BrokenModelError,
            r"oracle v9: the registry gives no model\.txt",
            id="a file that is not there",
        ),
    ],
)
def test_a_refusal_is_told(
    registry: Registry, ask: Callable[[Registry], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ask(registry)


def test_a_password_goes_into_the_header_and_not_into_the_path(server: Server) -> None:
    Registry(server.url.replace("://", "://ada:s%20cret@")).aliases("oracle")
    assert server.asked[0][2] == "Basic YWRhOnMgY3JldA=="


@pytest.mark.parametrize("url", ["sqlite:///mlflow.db", "mlruns", "http://:secret@", "http://[::1"])
def test_an_address_that_is_none_of_http_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigError, match="MLFLOW_TRACKING_URI: must be http") as failure:
        Registry(url)
    assert url not in str(failure.value)
