"""What is made of each answer of a schema registry, and how often it is asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from events.avro import RETAIL_EVENT, SHIPPED
from events.errors import ConfigError, DeadLetter, Unavailable
from stack.embedded import free_port
from transport.registry import ASK_AGAIN_MS, REMEMBER_UNKNOWN_MS, Registry, connect_schemas

GOOD = (200, json.dumps({"schema": RETAIL_EVENT}))
UNKNOWN = (404, '{"error_code":40403,"message":"Schema not found"}')
DOWN = (500, '{"error_code":50001,"message":"Error in the backend data store"}')


class Server(HTTPServer):
    """Answers every request alike, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = GOOD
        self.asked: list[tuple[str, str | None]] = []
        self.drips = False
        self.pause = threading.Event()
        self.elsewhere: str | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server

    def do_GET(self) -> None:
        """Called by the server."""
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        status, body = self.server.answer
        self.send_response(302 if self.server.elsewhere else status)
        if self.server.elsewhere:
            self.send_header("Location", f"{self.server.elsewhere}{self.path}")
        self.end_headers()
        if self.server.drips:
            with suppress(OSError):  # the client has hung up
                while True:
                    self.wfile.write(b" ")
                    self.server.pause.wait(0.02)
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Say nothing."""


class Time:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@contextmanager
def redirecting(to: Server) -> Iterator[str]:
    """The URL of a server that sends every request to another."""
    with serving() as first:
        first.elsewhere = to.url
        yield first.url


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def registry(server: Server, time: Time) -> Registry:
    return Registry(server.url, time)


def test_a_schema_is_asked_for_once(server: Server, registry: Registry) -> None:
    assert registry.writer(7) is registry.writer(7)
    assert server.asked == [("/schemas/ids/7", None)]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        pytest.param(UNKNOWN, "schema 7 is not in the schema registry", id="it does not know the id"),
        pytest.param((200, '{"schema":"{"}'), "schema 7: JSONDecodeError", id="a schema that is no JSON"),
        pytest.param((200, '{"schema":"\\"string\\""}'), "no record", id="a schema of something else"),
        pytest.param(
            (200, '{"schema":"message A {}","schemaType":"PROTOBUF"}'), "is PROTOBUF", id="another language"
        ),
        pytest.param((403, '{"error_code":40301}'), "refused .*: HTTP 403", id="nobody may read it"),
        pytest.param((403, ""), "refused .*: HTTP 403", id="nobody may read it, without a word"),
        pytest.param((422, '{"error_code":42201}'), "refused .*: HTTP 422", id="it is invalid"),
        pytest.param(
            (200, f'{{"schema":"{"x" * 1_000_000}"}}'), "larger than 1,000,000 bytes", id="too large"
        ),
    ],
)
def test_a_schema_that_cannot_be_used_is_a_dead_letter_for_a_while(
    answer: tuple[int, str], says: str, server: Server, registry: Registry, time: Time
) -> None:
    server.answer = answer
    for _ in range(3):
        with pytest.raises(DeadLetter, match=says) as caught:
            registry.writer(7)
        assert caught.value.cause == "undecodable"
    assert len(server.asked) == 1
    server.answer = GOOD
    time.now += REMEMBER_UNKNOWN_MS
    assert registry.writer(7)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(DOWN, id="its own store is down"),
        pytest.param((401, ""), id="it lets nobody in"),
        pytest.param((404, "<html>"), id="a web server that is no registry"),
        pytest.param((404, '{"error_code":404,"message":"HTTP 404 Not Found"}'), id="a path that it has not"),
        pytest.param((403, "<html>"), id="a proxy that lets nobody in"),
        pytest.param((429, ""), id="it was asked too often"),
        pytest.param((200, "<html>"), id="a page in the answer's place"),
        pytest.param((200, "{}"), id="an answer without a schema"),
    ],
)
def test_a_registry_that_cannot_say_condemns_nobody(
    answer: tuple[int, str], server: Server, registry: Registry, time: Time
) -> None:
    server.answer = answer
    for _ in range(3):
        with pytest.raises(Unavailable, match="schema registry is unavailable: "):
            registry.writer(7)
    assert len(server.asked) == 1
    server.answer = GOOD
    time.now += ASK_AGAIN_MS
    assert registry.writer(7)


def test_a_schema_of_an_unnamed_type_is_avro(server: Server, registry: Registry) -> None:
    server.answer = (200, json.dumps({"schema": RETAIL_EVENT, "schemaType": None}))
    assert registry.writer(7)


def test_a_registry_that_drips_is_unavailable(server: Server, time: Time) -> None:
    server.drips = True
    with pytest.raises(Unavailable, match="not there within"):
        Registry(server.url, time, timeout_s=0.2).writer(7)


def test_a_redirect_to_another_server_shows_it_no_password(server: Server) -> None:
    with redirecting(server) as url:
        Registry(url.replace("//", "//shop:secret@")).writer(7)
    assert server.asked == [("/schemas/ids/7", None)]


def test_what_is_known_is_served_while_the_registry_is_down(server: Server, registry: Registry) -> None:
    known = registry.writer(7)
    server.answer = DOWN
    with pytest.raises(Unavailable):
        registry.writer(8)
    assert registry.writer(7) is known


def test_a_registry_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="refused"):
        Registry(f"http://127.0.0.1:{free_port()}").writer(7)


def test_user_and_password_of_the_url_go_into_a_header(server: Server) -> None:
    url = server.url.replace("//", "//shop:p%40ss@") + "/registry/"
    Registry(url).writer(7)
    assert server.asked == [("/registry/schemas/ids/7", "Basic c2hvcDpwQHNz")]


@pytest.mark.parametrize("url", ["registry:8081", "file:///etc/passwd", "http://", "http://["])
def test_an_address_that_is_none_is_refused_by_the_name_of_its_variable(url: str) -> None:
    with pytest.raises(ConfigError, match="environment: SCHEMA_REGISTRY_URL: must be http"):
        connect_schemas(url)


def test_without_a_registry_the_shipped_schema_is_known() -> None:
    assert connect_schemas(None) is SHIPPED
