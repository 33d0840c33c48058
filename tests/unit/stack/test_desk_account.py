"""The report of a demonstration's tickets."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import msgspec
import pytest

from events.errors import Unavailable
from stack.desk_account import Counts, DeskAccount, desk_of
from stack.embedded import free_port
from stack.support_desk import shelf


def counts(escalated: int = 5, resolved: int = 3, handed_over: int = 2, over_refunded: int = 0) -> Counts:
    return Counts(
        escalated=escalated,
        resolved=resolved,
        handed_over=handed_over,
        refunds=2,
        vouchers=1,
        over_refunded=over_refunded,
    )


@pytest.mark.parametrize(
    ("told", "whole"),
    [
        pytest.param(counts(), True, id="each ticket has one end"),
        pytest.param(counts(escalated=0, resolved=0, handed_over=0), True, id="there were no tickets"),
        pytest.param(counts(resolved=2), False, id="one has no end"),
        pytest.param(counts(resolved=4), False, id="one that nobody escalated has one"),
        pytest.param(counts(over_refunded=1), False, id="an order was refunded beyond what it cost"),
    ],
)
def test_whether_it_adds_up(told: Counts, whole: bool) -> None:
    assert told.whole() is whole


def test_what_does_not_add_up_is_said() -> None:
    assert list(counts(resolved=2, over_refunded=1).lines())[1:] == [
        "orders refunded beyond what they cost: 1",
        "tickets without an end: 1",
    ]


def test_the_desk_says_what_is_read_here() -> None:
    assert Counts.__struct_fields__ == shelf.Counts._fields


def test_a_real_platform_has_no_account_here() -> None:
    assert desk_of({"SUPPORT_PLATFORM_URL": "https://desk.example"}) is None


class Desk(BaseHTTPRequestHandler):
    """Gives its counts to whoever has the token."""

    def do_GET(self) -> None:
        """Answers one request."""
        opens = self.headers["Authorization"] == "Bearer opens" and self.path.rstrip("?") == "/api/counts"
        self.send_response(200 if opens else 401)
        self.end_headers()
        self.wfile.write(msgspec.json.encode(counts()))

    def log_message(self, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Desk) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_account_is_read_by_who_has_the_token(url: str) -> None:
    assert DeskAccount(url, "opens").counts() == counts()
    with pytest.raises(Unavailable, match="401"):
        DeskAccount(url, "other").counts()


def test_a_desk_that_is_gone_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="support desk"):
        DeskAccount(f"http://127.0.0.1:{free_port()}", "t").counts()
