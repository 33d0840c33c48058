"""Calls of a support platform over HTTP."""

from collections.abc import Callable, Iterator

import httpx2
import msgspec
import pytest

from events.errors import ConfigError, SignalboxError, Unavailable
from models.support.actions import Escalation, Refund, Voucher
from models.support.platform import (
    AlreadyEndedError,
    HandOver,
    Order,
    Receipt,
    RefusalError,
    Resolution,
    TicketRef,
    UnconfirmedError,
)
from models.support.platform_http import HttpPlatform, connect_platform
from models.support.repeating import Patience

TICKET = TicketRef(tenant_id="retailpulse", ticket_id="t-1", customer_id="c-1", event_id="e-1")
REFUND = Refund(order_id="o-1", amount_minor=1_250, currency="GBP", reason="arrived broken")
ORDER = Order(
    order_id="o-1", customer_id="c-1", currency="GBP", total_minor=2_000, refunded_minor=500, placed_at=1
)
DONE = {"reference": "r-1"}
DAY_MS = 86_400_000
Answer = httpx2.Response | Exception


class Desk:
    """Plays its answers one by one, the last for ever, and remembers what it was asked."""

    def __init__(self, *answers: Answer, key_life: int = DAY_MS) -> None:
        self.asked: list[httpx2.Request] = []
        self.pauses: list[float] = []
        self._answers = list(answers)
        client = httpx2.Client(
            base_url="http://desk.example/base", transport=httpx2.MockTransport(self._answer)
        )
        patience = Patience(attempts=3, first_s=1, longest_s=4, total_s=60)
        self.platform = HttpPlatform(
            client, key_life=key_life, patience=patience, sleep=self.pauses.append, clock=lambda: 0
        )

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_an_order_is_read() -> None:
    desk = Desk(httpx2.Response(200, json=msgspec.to_builtins(ORDER)))
    assert desk.platform.order("retailpulse", "o-1") == ORDER
    assert ORDER.left_minor == 1_500
    assert str(desk.asked[0].url) == "http://desk.example/base/api/retailpulse/orders/o-1"


def test_an_order_that_the_shop_does_not_know_is_none() -> None:
    assert Desk(httpx2.Response(404)).platform.order("retailpulse", "o-1") is None


@pytest.mark.parametrize("order_id", ["../refunds", "..", "o/1", "o?x=1", "o#1", "ö 1", "\ud800"])
def test_an_order_id_cannot_leave_its_place_in_the_path(order_id: str) -> None:
    desk = Desk(httpx2.Response(404))
    desk.platform.order("retailpulse", order_id)
    url = desk.asked[0].url
    prefix, segment = url.raw_path.rsplit(b"/", 1)
    assert prefix == b"/base/api/retailpulse/orders"
    assert segment
    assert not url.query


@pytest.mark.parametrize(
    ("action", "path"),
    [
        (REFUND, "/refunds"),
        (Voucher(amount_minor=500, currency="GBP", reason="late"), "/vouchers"),
        (Escalation(reason="threatens to sue"), "/escalations"),
    ],
)
def test_an_action_goes_out_with_its_key_and_whom_it_concerns(
    action: Refund | Voucher | Escalation, path: str
) -> None:
    desk = Desk(httpx2.Response(200, json=DONE))
    assert desk.platform.act("key-1", TICKET, action) == Receipt(reference="r-1")
    (request,) = desk.asked
    assert request.url.path.endswith(path)
    assert request.headers["Idempotency-Key"] == "key-1"
    body = msgspec.json.decode(request.content)
    assert body == {**msgspec.to_builtins(TICKET), **msgspec.to_builtins(action)}


def test_how_a_ticket_ends_is_put_there() -> None:
    desk = Desk(httpx2.Response(200, json=DONE))
    desk.platform.resolve("key-1", TICKET, Resolution(reply="Sorry.", summary="Late parcel"))
    desk.platform.hand_over("key-2", TICKET, HandOver(reason="limits", summary="Too much"))
    assert [(each.method, each.url.path.rsplit("/", 2)[1:]) for each in desk.asked] == [
        ("PUT", ["t-1", "resolution"]),
        ("PUT", ["t-1", "hand-over"]),
    ]


TRANSIENT: list[Callable[[], Answer]] = [
    lambda: httpx2.Response(500),
    lambda: httpx2.Response(503),
    lambda: httpx2.Response(429),
    lambda: httpx2.ReadTimeout("slow"),
    lambda: httpx2.ConnectError("refused"),
    lambda: httpx2.RemoteProtocolError("went away"),
    lambda: httpx2.DecodingError("garbage under Content-Encoding"),
]


@pytest.mark.parametrize("failure", TRANSIENT)
def test_what_failed_is_sent_again_under_the_same_key(failure: Callable[[], Answer]) -> None:
    desk = Desk(failure(), failure(), httpx2.Response(200, json=DONE))
    desk.platform.act("key-1", TICKET, REFUND)
    assert [request.headers["Idempotency-Key"] for request in desk.asked] == ["key-1"] * 3
    assert len(desk.pauses) == 2


@pytest.mark.parametrize("failure", TRANSIENT)
def test_who_keeps_failing_is_unavailable(failure: Callable[[], Answer]) -> None:
    desk = Desk(failure())
    with pytest.raises(Unavailable, match="support platform"):
        desk.platform.act("key-1", TICKET, REFUND)
    assert len(desk.asked) == 3


def test_an_action_that_another_worker_is_having_done_is_asked_for_again() -> None:
    desk = Desk(httpx2.Response(409), httpx2.Response(409), httpx2.Response(200, json=DONE))
    assert desk.platform.act("key-1", TICKET, REFUND).reference == "r-1"


def test_a_ticket_that_has_ended_otherwise_is_told_so() -> None:
    desk = Desk(httpx2.Response(409, json={"error": "ended already"}))
    with pytest.raises(AlreadyEndedError, match="ended already"):
        desk.platform.resolve("key-1", TICKET, Resolution(reply="Sorry.", summary="Late parcel"))


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_a_reply_that_is_not_taken_ends_no_ticket(status: int) -> None:
    desk = Desk(httpx2.Response(status, json={"error": "the reply is too long"}))
    with pytest.raises(RefusalError, match="the reply is too long") as raised:
        desk.platform.resolve("key-1", TICKET, Resolution(reply="Sorry.", summary="Late parcel"))
    assert not isinstance(raised.value, AlreadyEndedError)


def test_who_asks_for_time_is_given_it() -> None:
    desk = Desk(httpx2.Response(429, headers={"Retry-After": "7"}), httpx2.Response(200, json=DONE))
    desk.platform.act("key-1", TICKET, REFUND)
    assert desk.pauses == [7]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            httpx2.Response(422, json={"error": "this key is another action's"}),
            "this key is another action's",
        ),
        (httpx2.Response(400, json={"error": ["no", "text"]}), "HTTP 400"),
        (httpx2.Response(404, text="<h1>no"), "HTTP 404"),
    ],
)
def test_a_refusal_is_told_at_once_with_its_reason(answer: httpx2.Response, reason: str) -> None:
    desk = Desk(answer)
    with pytest.raises(RefusalError) as raised:
        desk.platform.act("key-1", TICKET, REFUND)
    assert raised.value.reason == reason
    assert len(desk.asked) == 1


@pytest.mark.parametrize("status", [401, 403, 302])
def test_credentials_and_addresses_are_ours_to_put_right(status: int) -> None:
    with pytest.raises(Unavailable, match="SUPPORT_PLATFORM_TOKEN"):
        Desk(httpx2.Response(status)).platform.act("key-1", TICKET, REFUND)


def test_an_answer_that_cannot_be_read_confirms_nothing() -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        Desk(httpx2.Response(200, text="fine")).platform.act("key-1", TICKET, REFUND)


class TestAPlatformThatKnowsNoKeys:
    @pytest.mark.parametrize(
        "failure",
        [
            httpx2.ReadTimeout("slow"),
            httpx2.RemoteProtocolError("went away"),
            httpx2.DecodingError("garbage under Content-Encoding"),
            httpx2.Response(500),
            httpx2.Response(303),
            httpx2.Response(200, text="?"),
        ],
    )
    def test_is_never_sent_an_action_twice(self, failure: Answer) -> None:
        desk = Desk(failure, key_life=0)
        with pytest.raises(UnconfirmedError):
            desk.platform.act("key-1", TICKET, REFUND)
        assert len(desk.asked) == 1

    @pytest.mark.parametrize(
        "failure", [httpx2.ConnectError("refused"), httpx2.ConnectTimeout("slow"), httpx2.Response(429)]
    )
    def test_is_asked_again_where_the_action_surely_did_not_arrive(self, failure: Answer) -> None:
        desk = Desk(failure, httpx2.Response(200, json=DONE), key_life=0)
        assert desk.platform.act("key-1", TICKET, REFUND).reference == "r-1"

    def test_refuses_by_409_as_by_any_other(self) -> None:
        with pytest.raises(RefusalError):
            Desk(httpx2.Response(409), key_life=0).platform.act("key-1", TICKET, REFUND)

    def test_may_be_told_twice_how_a_ticket_ended(self) -> None:
        desk = Desk(httpx2.ReadTimeout("slow"), httpx2.Response(200, json=DONE), key_life=0)
        desk.platform.resolve("key-1", TICKET, Resolution(reply="Sorry.", summary="Late parcel"))
        assert len(desk.asked) == 2


@pytest.fixture
def connected() -> Iterator[Callable[[str], HttpPlatform]]:
    made: list[HttpPlatform] = []

    def connect(url: str) -> HttpPlatform:
        made.append(connect_platform(url, "secret"))
        return made[-1]

    yield connect
    for platform in made:
        platform.close()


def test_an_address_that_is_none_is_said_without_its_value(connected: Callable[[str], HttpPlatform]) -> None:
    with pytest.raises(ConfigError, match="SUPPORT_PLATFORM_URL") as raised:
        connected("desk.example:secret")
    assert "secret" not in str(raised.value)


def test_nobody_at_the_address_is_unavailable() -> None:
    def nobody(_request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    platform = HttpPlatform(
        httpx2.Client(transport=httpx2.MockTransport(nobody), base_url="http://x"), sleep=lambda _: None
    )
    with pytest.raises(SignalboxError, match="refused, 5 attempts"):
        platform.order("retailpulse", "o-1")


class Slow:
    """A desk on whose clock each attempt takes as long as it may, or each byte of an answer four seconds."""

    def __init__(self, *, drips: bool = False, key_life: int = DAY_MS, oversleeps_s: float = 0) -> None:
        self.now = 0.0
        self.given: list[float] = []
        self._drips = drips
        client = httpx2.Client(base_url="http://desk", transport=httpx2.MockTransport(self._answer))
        self.platform = HttpPlatform(
            client,
            key_life=key_life,
            sleep=lambda seconds: self._pass(seconds + oversleeps_s),
            clock=lambda: int(self.now * 1_000),
        )

    def _pass(self, seconds: float) -> None:
        self.now += seconds

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        given = request.extensions["timeout"]["read"]
        self.given.append(given)
        if self._drips:
            return httpx2.Response(200, content=self._bytes())
        self._pass(given)
        raise httpx2.ReadTimeout("slow")

    def _bytes(self) -> Iterator[bytes]:
        for _ in range(1_000):
            self._pass(4)
            yield b" "


class TestACall:
    def test_ends_within_its_patience_with_its_last_attempt(self) -> None:
        desk = Slow()
        with pytest.raises(Unavailable):
            desk.platform.order("retailpulse", "o-1")
        assert len(desk.given) == 2
        assert desk.now == pytest.approx(8, abs=0.01)

    @pytest.mark.parametrize(
        ("until", "most"),
        [
            pytest.param(4_000, 4, id="what is left"),
            pytest.param(-60_000, 2, id="the least, late as it is"),
        ],
    )
    def test_ends_with_the_runs_time(self, until: int, most: float) -> None:
        desk = Slow()
        with pytest.raises(Unavailable):
            desk.platform.within(until).order("retailpulse", "o-1")
        assert desk.now == pytest.approx(most, abs=0.01)

    def test_of_a_process_that_stood_still_has_time_for_its_last_attempt(self) -> None:
        desk = Slow(oversleeps_s=60)
        with pytest.raises(Unavailable):
            desk.platform.order("retailpulse", "o-1")
        assert desk.given == [5, 1]

    def test_that_is_answered_byte_by_byte_is_given_up(self) -> None:
        desk = Slow(drips=True)
        with pytest.raises(Unavailable, match="not there in time"):
            desk.platform.order("retailpulse", "o-1")
        assert desk.now <= 16

    def test_that_is_made_once_is_not_cut_short(self) -> None:
        desk = Slow(key_life=0)
        with pytest.raises(UnconfirmedError):
            desk.platform.within(-60_000).act("key-1", TICKET, REFUND)
        assert desk.given == [5]
