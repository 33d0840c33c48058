"""Intended actions are carried out once each, whatever is lost on the way."""

from dataclasses import dataclass, field

import pytest

from events.errors import Unavailable
from models.support.acting import Acted, Intent, carry_out
from models.support.actions import Refund, Voucher
from models.support.platform import Receipt, RefusalError, TicketRef, ToldAction, UnconfirmedError
from tests.memory_platform import MemoryPlatform

TICKET = TicketRef(tenant_id="retailpulse", ticket_id="t-1", customer_id="c-1", event_id="e-1")
REFUND = Intent(key="k-1", action=Refund(order_id="o-1", amount_minor=1_250, currency="GBP", reason="broken"))
VOUCHER = Intent(key="k-2", action=Voucher(amount_minor=500, currency="GBP", reason="late"))
NOW = 1_800_000_000_000
DAY_MS = 86_400_000
GONE = Unavailable("support platform", "down")


@dataclass
class Log:
    """What would be in the journal."""

    lines: list[tuple[str, str]] = field(default_factory=list)

    def sending(self, intent: Intent, now: int) -> None:
        self.lines.append(("sending", intent.key))

    def not_sent(self, intent: Intent) -> None:
        self.lines.append(("not sent", intent.key))

    def confirmed(self, intent: Intent, receipt: Receipt) -> None:
        self.lines.append(("confirmed", intent.key))

    def refused(self, intent: Intent, reason: str) -> None:
        self.lines.append(("refused", intent.key))

    def unknown(self, intent: Intent, reason: str) -> None:
        self.lines.append(("unknown", intent.key))


def act(intents: list[Intent], platform: MemoryPlatform, log: Log, *, decided_at: int = NOW) -> Acted:
    return carry_out(intents, platform, TICKET, log, decided_at=decided_at, clock=lambda: NOW)


def seen(intent: Intent, **known: object) -> Intent:
    """The same, as a later look into the journal has it."""
    fields = {"key": intent.key, "action": intent.action, **known}
    return Intent(**fields)  # type: ignore[arg-type]


def test_everything_that_was_intended_is_done_in_its_order() -> None:
    platform, log = MemoryPlatform(), Log()
    acted = act([REFUND, VOUCHER], platform, log)
    assert acted.whole
    assert list(platform.acted) == ["k-1", "k-2"]
    assert log.lines == [
        ("sending", "k-1"), ("confirmed", "k-1"), ("sending", "k-2"), ("confirmed", "k-2"),
    ]  # fmt: skip


def test_who_intended_nothing_has_done_all_of_it() -> None:
    assert act([], MemoryPlatform(), Log()).whole


def test_what_was_confirmed_before_is_not_sent_again() -> None:
    platform, log = MemoryPlatform(), Log()
    act([seen(REFUND, state="confirmed", note="r-1"), VOUCHER], platform, log)
    assert list(platform.acted) == ["k-2"]
    assert platform.calls == 1


def test_an_answer_that_was_lost_is_asked_for_again_and_the_money_leaves_once() -> None:
    platform, log = MemoryPlatform(lost=[GONE]), Log()
    with pytest.raises(Unavailable):
        act([REFUND], platform, log)
    assert log.lines == [("sending", "k-1")]
    acted = act([seen(REFUND, sent_at=NOW - 1_000)], platform, log)
    assert acted.whole
    assert platform.acted == {"k-1": REFUND.action}
    assert platform.calls == 2


def test_after_a_refusal_nothing_more_is_done_for_the_ticket() -> None:
    platform, log = MemoryPlatform(failures=[RefusalError("the order is in dispute")]), Log()
    acted = act([REFUND, VOUCHER], platform, log)
    assert not acted.whole
    assert [(each.state, each.note) for each in acted.intents] == [
        ("refused", "the order is in dispute"),
        ("refused", "an action before it was not carried out"),
    ]
    assert platform.acted == {}


def test_people_read_what_became_of_it() -> None:
    acted = act([REFUND], MemoryPlatform(), Log())
    assert acted.told() == (
        ToldAction(
            tool="issue_refund", amount_minor=1_250, currency="GBP", state="confirmed", reference="did-k-1"
        ),
    )


class TestAPlatformThatKnowsNoKeys:
    def test_it_is_journaled_before_anything_is_sent(self) -> None:
        log = Log()
        act([REFUND], MemoryPlatform(key_life=0), log)
        assert log.lines == [("sending", "k-1"), ("confirmed", "k-1")]

    def test_an_answer_that_was_lost_is_unknown_and_never_asked_for_again(self) -> None:
        platform, log = MemoryPlatform(key_life=0, lost=[UnconfirmedError("no answer")]), Log()
        acted = act([REFUND, VOUCHER], platform, log)
        assert [each.state for each in acted.intents] == ["unknown", "refused"]
        assert platform.calls == 1

    def test_what_a_lost_worker_was_sending_is_unknown(self) -> None:
        platform, log = MemoryPlatform(key_life=0), Log()
        acted = act([seen(REFUND, sent_at=NOW - 1_000)], platform, log)
        assert [each.state for each in acted.intents] == ["unknown"]
        assert platform.calls == 0

    def test_what_surely_did_not_arrive_is_still_to_be_sent(self) -> None:
        platform, log = MemoryPlatform(key_life=0, failures=[GONE]), Log()
        with pytest.raises(Unavailable):
            act([REFUND], platform, log)
        assert log.lines == [("sending", "k-1"), ("not sent", "k-1")]

    def test_what_was_only_intended_is_sent(self) -> None:
        platform = MemoryPlatform(key_life=0)
        assert act([REFUND], platform, Log()).whole


class TestAPlatformThatForgetsItsKeys:
    @pytest.mark.parametrize(
        ("key_life", "sent_ago", "state", "calls"),
        [
            pytest.param(
                DAY_MS, 60_000, "confirmed", 1, id="a minute ago: the key is known, and asked again"
            ),
            pytest.param(
                DAY_MS, DAY_MS - 16_000, "confirmed", 1, id="the key lives longer than the call takes"
            ),
            pytest.param(
                DAY_MS, DAY_MS - 15_000, "unknown", 0, id="the key may be gone before the call arrives"
            ),
            pytest.param(DAY_MS, 3 * DAY_MS, "unknown", 0, id="three days ago: a replay pays nothing twice"),
            pytest.param(10_000, 1, "unknown", 0, id="keys of ten seconds are gone before a second call"),
            pytest.param(0, 1, "unknown", 0, id="no keys"),
        ],
    )
    def test_what_was_sent_is_sent_again_only_while_its_key_lives(
        self, key_life: int, sent_ago: int, state: str, calls: int
    ) -> None:
        platform, log = MemoryPlatform(key_life=key_life), Log()
        acted = act([seen(REFUND, sent_at=NOW - sent_ago), VOUCHER], platform, log)
        assert acted.intents[0].state == state
        assert platform.calls == calls + (state == "confirmed")

    def test_money_that_was_never_sent_and_decided_on_days_ago_is_a_persons_again(self) -> None:
        platform, log = MemoryPlatform(), Log()
        acted = act([REFUND], platform, log, decided_at=NOW - 3 * DAY_MS)
        assert [(each.state, each.note) for each in acted.intents] == [
            ("refused", "it was decided on more than a day ago, and never sent")
        ]
        assert platform.calls == 0
