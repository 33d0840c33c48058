"""The support desk is idempotent, and its page escapes hostile text."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from starlette.testclient import TestClient

from models.support.actions import Refund
from models.support.platform import HandOver, Order, RefusalError, Resolution, TicketRef
from models.support.platform_http import HttpPlatform
from models.support.repeating import Patience
from stack.support_desk.app import Desk
from stack.support_desk.books import Books
from stack.support_desk.shelf import Shelf
from transport.database import open_database

TENANT = "retailpulse"
ORDER_ROW = {
    "tenant_id": TENANT,
    "order_id": "o-1",
    "customer_id": "c-1",
    "currency": "GBP",
    "total_minor": 2_000,
    "placed_at": 5,
}
HOSTILE = "<script>alert('refund')</script>"
TICKET_ROW = {
    "tenant_id": TENANT,
    "ticket_id": "t-1",
    "event_id": "e-1",
    "customer_id": "c-1",
    "order_id": "o-1",
    "subject": HOSTILE,
    "body": f"{HOSTILE} & more",
    "escalated_at": 10,
}
TICKET = TicketRef(tenant_id=TENANT, ticket_id="t-1", customer_id="c-1", event_id="e-1")
REFUND = Refund(order_id="o-1", amount_minor=1_250, currency="GBP", reason=f"broken {HOSTILE}")
RESOLUTION = Resolution(reply=f"Sorry. {HOSTILE}", summary="A broken lamp", cites=("SUP-01",))


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with closing(open_database(f"sqlite:///{tmp_path / 'desk.db'}")) as database:
        made = Books(database, clock=lambda: 1_000)
        made.create()
        made.learn([ORDER_ROW], [TICKET_ROW])
        yield made


@pytest.fixture
def client(books: Books, tmp_path: Path) -> Iterator[TestClient]:
    with closing(open_database(f"sqlite:///{tmp_path / 'desk.db'}")) as database:
        app = Desk(books, Shelf(database), token="opens").app()
        with TestClient(app, base_url="http://127.0.0.1") as made:
            made.headers["Authorization"] = "Bearer opens"
            yield made


@pytest.fixture
def platform(client: TestClient) -> HttpPlatform:
    """The agent's own adapter, with the desk behind it."""
    return HttpPlatform(client, key_life=60_000, patience=Patience(attempts=9), sleep=lambda _: None)


def files(client: TestClient) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = client.get("/api/files").json()
    return answer


def test_an_order_is_known_with_what_was_refunded_of_it(platform: HttpPlatform) -> None:
    platform.act("k-1", TICKET, REFUND)
    assert platform.order(TENANT, "o-1") == Order(
        order_id="o-1",
        customer_id="c-1",
        currency="GBP",
        total_minor=2_000,
        refunded_minor=1_250,
        placed_at=5,
    )


@pytest.mark.parametrize("order_id", ["o-2", "../o-1", "a/b", "ö", ".."])
def test_an_order_that_nobody_placed_is_none(platform: HttpPlatform, order_id: str) -> None:
    assert platform.order(TENANT, order_id) is None


def test_another_tenant_sees_none_of_it(platform: HttpPlatform) -> None:
    assert platform.order("another", "o-1") is None


def test_what_is_told_twice_under_a_key_is_done_once(platform: HttpPlatform, client: TestClient) -> None:
    first, second = (platform.act("k-1", TICKET, REFUND) for _ in range(2))
    assert first == second
    assert len(files(client)[0]["done"]) == 1


def test_the_same_under_another_key_is_another_action(platform: HttpPlatform, client: TestClient) -> None:
    platform.act("k-1", TICKET, REFUND)
    platform.act("k-2", TICKET, REFUND)
    (file,) = files(client)
    assert [done["excess"] for done in file["done"]] == [False, True]
    assert client.get("/api/counts").json()["over_refunded"] == 1


def test_a_key_stands_for_one_action(platform: HttpPlatform) -> None:
    platform.act("k-1", TICKET, REFUND)
    other = msgspec.structs.replace(REFUND, amount_minor=1)
    with pytest.raises(RefusalError, match="used for something else"):
        platform.act("k-1", TICKET, other)


def test_a_ticket_ends_once(platform: HttpPlatform, client: TestClient) -> None:
    first, second = (platform.resolve("k-1", TICKET, RESOLUTION) for _ in range(2))
    assert first == second
    with pytest.raises(RefusalError, match="ended already"):
        platform.hand_over("k-2", TICKET, HandOver(reason="limits", summary="too much"))
    assert client.get("/api/counts").json() == {
        "escalated": 1,
        "resolved": 1,
        "handed_over": 0,
        "refunds": 0,
        "vouchers": 0,
        "over_refunded": 0,
    }


def test_a_ticket_that_escalates_again_ends_again(platform: HttpPlatform) -> None:
    platform.resolve("k-1", TICKET, RESOLUTION)
    again = msgspec.structs.replace(TICKET, event_id="e-2")
    platform.hand_over("k-2", again, HandOver(reason="limits", summary="too much"))


def test_what_the_desk_hears_of_before_the_ticket_is_on_file(
    platform: HttpPlatform, client: TestClient
) -> None:
    unknown = msgspec.structs.replace(TICKET, ticket_id="t-9")
    platform.resolve("k-9", unknown, RESOLUTION)
    assert {file["ticket_id"] for file in files(client)} == {"t-1", "t-9"}


def test_an_answer_that_is_lost_does_not_do_it_again(platform: HttpPlatform, client: TestClient) -> None:
    client.post("/faults", content=b'{"lost": 0.3, "refused": 0.2, "seed": 3}')
    for number in range(20):
        platform.act(f"k-{number}", TICKET, msgspec.structs.replace(REFUND, amount_minor=10))
    client.post("/faults", content=b"{}")
    assert client.get("/api/counts").json()["refunds"] == 20


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        pytest.param("POST", f"/api/{TENANT}/refunds", b"{", 400, id="no JSON"),
        pytest.param("POST", f"/api/{TENANT}/refunds", b"{}", 400, id="nothing that an action has"),
        pytest.param("POST", f"/api/{TENANT}/bribes", b"{}", 404, id="no such action"),
        pytest.param("PUT", f"/api/{TENANT}/tickets/t-1/silence", b"{}", 404, id="no such end"),
        pytest.param("POST", "/faults", b'{"lots": 1}', 400, id="no such fault"),
    ],
)
def test_what_cannot_be_read_is_refused(
    client: TestClient, method: str, path: str, content: bytes, status: int
) -> None:
    answer = client.request(method, path, content=content, headers={"Idempotency-Key": "k"})
    assert answer.status_code == status
    assert answer.json()["error"]


def test_an_action_needs_a_key(client: TestClient) -> None:
    assert client.post(f"/api/{TENANT}/refunds", content=b"{}").status_code == 400


@pytest.mark.parametrize("path", [f"/api/{TENANT}/orders/o-1", "/api/files", "/api/counts"])
def test_nobody_reads_without_the_token(client: TestClient, path: str) -> None:
    assert client.get(path, headers={"Authorization": "Bearer guessed"}).status_code == 401


def test_a_foreign_name_for_this_machine_is_not_let_in(client: TestClient) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_the_page_shows_what_was_written_and_runs_none_of_it(
    platform: HttpPlatform, client: TestClient
) -> None:
    platform.act("k-1", TICKET, REFUND)
    platform.resolve("k-2", TICKET, RESOLUTION)
    answer = client.get("/")
    assert "<script" not in answer.text
    assert "&lt;script&gt;alert(&#x27;refund&#x27;)&lt;/script&gt; &amp; more" in answer.text
    assert "12.50 GBP" in answer.text
    assert "1 resolved" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_page_of_an_empty_desk_says_so(tmp_path: Path) -> None:
    with closing(open_database(f"sqlite:///{tmp_path / 'empty.db'}")) as database:
        books = Books(database)
        books.create()
        with TestClient(Desk(books, Shelf(database)).app(), base_url="http://127.0.0.1") as client:
            assert "No ticket was escalated yet" in client.get("/").text
            assert client.get("/health").status_code == httpx2.codes.OK
