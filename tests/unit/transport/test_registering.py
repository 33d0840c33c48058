"""What is sent to a schema registry for a subject, and what is made of its answers."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from events.avro import RETAIL_EVENT
from events.errors import Unavailable
from stack.embedded import free_port
from transport.registering import Level, Registrar, Subject, subjects

SUBJECT = Subject("retail.events-order.placed.v1", '{"type":"object"}', "JSON")
LOOKUP = ("POST", "/subjects/retail.events-order.placed.v1")
ASK = ("POST", "/compatibility/subjects/retail.events-order.placed.v1/versions/latest?verbose=true")
LEVEL = ("PUT", "/config/retail.events-order.placed.v1")
ADD = ("POST", "/subjects/retail.events-order.placed.v1/versions")

Answer = tuple[int, Any]
NO_SUBJECT: Answer = (404, {"error_code": 40401, "message": "Subject not found."})
NO_SCHEMA: Answer = (404, {"error_code": 40403, "message": "Schema not found"})
COMPATIBLE: Answer = (200, {"is_compatible": True})
ADDED: Answer = (200, {"id": 7})


class Stub(HTTPServer):
    """Answers each method and path as it was set, and keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[tuple[str, str], Answer] = {}
        self.sent: list[tuple[str, str]] = []
        self.bodies: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Stub

    def do_POST(self) -> None:
        """Called by the server."""
        request = (self.command, self.path)
        self.server.sent.append(request)
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        status, body = self.server.answers.get(request, (500, "not expected"))
        self.send_response(status)
        self.end_headers()
        self.wfile.write((body if isinstance(body, str) else json.dumps(body)).encode())

    def do_PUT(self) -> None:
        """Called by the server."""
        self.do_POST()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Write nothing."""


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def registrar(stub: Stub) -> Registrar:
    return Registrar(stub.url, Level.BACKWARD)


def test_a_new_subject_is_given_its_level_and_then_its_schema(stub: Stub, registrar: Registrar) -> None:
    stub.answers = {LOOKUP: NO_SUBJECT, ASK: NO_SUBJECT, LEVEL: (200, {}), ADD: ADDED}
    said = str(registrar.register(SUBJECT))
    assert said == f"{SUBJECT.name}: registered, id 7, compatibility BACKWARD"
    assert stub.sent == [LOOKUP, ASK, LEVEL, ADD]
    schema = {"schema": SUBJECT.schema, "schemaType": "JSON"}
    assert stub.bodies == [schema, schema, {"compatibility": "BACKWARD"}, schema]


def test_a_schema_that_is_there_is_left_as_it_is(stub: Stub, registrar: Registrar) -> None:
    stub.answers = {LOOKUP: (200, {"id": 7, "version": 2, "schema": "…"})}
    assert str(registrar.register(SUBJECT)) == f"{SUBJECT.name}: unchanged, id 7, version 2"
    assert stub.sent == [LOOKUP]


def test_the_next_version_of_a_subject_keeps_the_subject_s_level(stub: Stub, registrar: Registrar) -> None:
    stub.answers = {LOOKUP: NO_SCHEMA, ASK: COMPATIBLE, ADD: ADDED}
    assert str(registrar.register(SUBJECT)) == f"{SUBJECT.name}: registered, id 7"
    assert stub.sent == [LOOKUP, ASK, ADD]


@pytest.mark.parametrize(
    ("judgement", "reason"),
    [
        pytest.param(
            {"is_compatible": False, "messages": ["a is required", "b\nis gone"]},
            "a is required; b is gone",
            id="Confluent",
        ),
        pytest.param(
            {"is_compatible": False, "reason": "Incompatible artifact"},
            "Incompatible artifact",
            id="Apicurio",
        ),
        pytest.param({"is_compatible": False}, "not compatible with its latest version", id="none given"),
    ],
)
def test_what_is_not_compatible_is_refused_with_the_registry_s_reason(
    judgement: dict[str, Any], reason: str, stub: Stub, registrar: Registrar
) -> None:
    stub.answers = {LOOKUP: NO_SCHEMA, ASK: (200, judgement)}
    assert registrar.register(SUBJECT) == (SUBJECT.name, "refused", reason)
    assert ADD not in stub.sent


@pytest.mark.parametrize(
    ("failing", "answer", "reason"),
    [
        pytest.param(
            ADD,
            (409, {"error_code": 409, "message": "a is required"}),
            "HTTP 409: a is required",
            id="a race",
        ),
        pytest.param(
            ASK,
            (422, {"error_code": 42201, "message": "Invalid"}),
            "HTTP 422: Invalid",
            id="an invalid schema",
        ),
        pytest.param(
            LOOKUP, (401, ""), "HTTP 401: no access; check user, password or token", id="it is not let in"
        ),
        pytest.param(
            LEVEL,
            (403, {"error_code": 40301, "message": "read only"}),
            "HTTP 403: read only; check user, password or token",
            id="it may only read",
        ),
        pytest.param(LOOKUP, (404, "<html>"), "check SCHEMA_REGISTRY_URL", id="a web server of another kind"),
        pytest.param(LOOKUP, (404, {"error_code": 404, "message": "no path"}), "no path", id="a wrong path"),
        pytest.param(LOOKUP, (200, "<html>"), "check SCHEMA_REGISTRY_URL", id="a page in the answer's place"),
        pytest.param(ADD, (200, "{}"), "check SCHEMA_REGISTRY_URL", id="an answer without an id"),
    ],
)
def test_an_answer_that_is_no_success_is_a_refusal_with_its_reason(
    failing: tuple[str, str], answer: Answer, reason: str, stub: Stub, registrar: Registrar
) -> None:
    stub.answers = {LOOKUP: NO_SCHEMA, ASK: NO_SUBJECT, LEVEL: (200, {}), ADD: ADDED, failing: answer}
    outcome = registrar.register(SUBJECT)
    assert outcome.state == "refused"
    assert reason in outcome.detail
    assert stub.sent[-1] == failing


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        pytest.param(
            {LOOKUP: NO_SUBJECT, ASK: NO_SUBJECT}, "new, compatibility BACKWARD", id="a new subject"
        ),
        pytest.param({LOOKUP: NO_SCHEMA, ASK: COMPATIBLE}, "compatible", id="its next version"),
        pytest.param({LOOKUP: (200, {"id": 7})}, "unchanged, id 7", id="nothing to do"),
    ],
)
def test_to_ask_changes_nothing(
    answers: dict[tuple[str, str], Answer], said: str, stub: Stub, registrar: Registrar
) -> None:
    stub.answers = answers
    assert str(registrar.ask(SUBJECT)) == f"{SUBJECT.name}: {said}"
    assert set(stub.sent) <= {LOOKUP, ASK}


@pytest.mark.parametrize("status", [500, 503])
def test_a_registry_that_fails_refuses_nothing(status: int, stub: Stub, registrar: Registrar) -> None:
    stub.answers = {LOOKUP: (status, {"error_code": 50001, "message": "store"})}
    with pytest.raises(Unavailable, match="schema registry is unavailable"):
        registrar.register(SUBJECT)


def test_a_registry_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="refused"):
        Registrar(f"http://127.0.0.1:{free_port()}", Level.BACKWARD).ask(SUBJECT)


def test_the_envelope_has_the_name_by_which_a_producer_of_the_topic_looks_it_up() -> None:
    envelope, *payloads = subjects({("order.placed", 2): {"type": "object"}, ("order.placed", 1): {}})
    assert (envelope.name, envelope.schema, envelope.language) == (
        "retail.events-value",
        RETAIL_EVENT,
        "AVRO",
    )
    assert [(each.name, each.language) for each in payloads] == [
        ("retail.events-order.placed.v1", "JSON"),
        ("retail.events-order.placed.v2", "JSON"),
    ]
