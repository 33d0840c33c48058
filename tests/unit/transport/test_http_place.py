"""What lets a client into a server over HTTP: a bearer token, a user and a password, authorities to trust."""

import base64
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from events.errors import ConfigError, Unavailable
from models.registry import Registry as ModelRegistry
from tests.integration.secured.certificates import Authority
from transport.http import HttpPlace, Server, parse_address
from transport.registry import Registry

URL = "https://registry:8081"


def basic(login: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()}


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        pytest.param(HttpPlace(URL), {}, id="nothing"),
        pytest.param(HttpPlace(URL, token="t"), {"Authorization": "Bearer t"}, id="token"),
        pytest.param(HttpPlace(URL, user="u", password="p"), basic("u:p"), id="user and password"),
        pytest.param(HttpPlace("https://u:p%40@registry:8081"), basic("u:p@"), id="in the URL"),
        pytest.param(
            HttpPlace("https://u:p@registry:8081", token="t"), {"Authorization": "Bearer t"}, id="token first"
        ),
    ],
)
def test_a_place_becomes_a_header_and_a_url_without_secrets(
    place: HttpPlace, expected: dict[str, str]
) -> None:
    address = parse_address(place, "SCHEMA_REGISTRY_URL")
    assert (address.base, dict(address.headers)) == (URL, expected)


def test_a_place_is_printed_without_its_secrets() -> None:
    shown = repr(HttpPlace("https://u:s3cret@h", token="s3cret", user="u", password="s3cret"))
    assert "s3cret" not in shown


@pytest.mark.parametrize(
    ("text", "complaint"), [(None, "No such file"), ("no certificate", ".*no certificate")]
)
def test_a_ca_file_that_cannot_be_used_is_named(text: str | None, complaint: str, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    if text is not None:
        ca.write_text(text)
    with pytest.raises(ConfigError, match=f"SCHEMA_REGISTRY_URL: CA file .*ca.pem: ({complaint})"):
        parse_address(HttpPlace(URL, ca=ca), "SCHEMA_REGISTRY_URL")


class Seen(BaseHTTPRequestHandler):
    """Answers with a schema, and keeps what it was sent."""

    authorizations: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.authorizations.append(self.headers["Authorization"])
        body = b'{"schema": "\\"string\\"", "model_version": {"name": "m", "version": "1"}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing to print."""


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The URL of a server over TLS, and the authority that signed its certificate."""
    authority = Authority(tmp_path)
    signed = authority.sign("server")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(signed.certificate, signed.key)
    server = HTTPServer(("127.0.0.1", 0), Seen)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}", authority.certificate
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_of_a_trusted_authority_is_asked_with_the_token(secure: tuple[str, Path]) -> None:
    url, ca = secure
    Seen.authorizations.clear()
    Server(parse_address(HttpPlace(url, "t", ca=ca), "X"), "x", 5).get("/")
    assert Registry(HttpPlace(url, "t", ca=ca), timeout_s=5)._fetch(1) == '"string"'
    assert Seen.authorizations == ["Bearer t", "Bearer t"]


def test_a_server_of_no_trusted_authority_is_told_nothing(secure: tuple[str, Path]) -> None:
    url, _ = secure
    Seen.authorizations.clear()
    with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
        ModelRegistry(HttpPlace(url, "t"), timeout_s=5).pointed("m", "champion")
    assert not Seen.authorizations
