"""What becomes of a ticket: resolved, or handed over with what is known, whatever happens on the way."""

from dataclasses import replace

import msgspec
import pytest
from pydantic_ai.exceptions import ModelRequestRejectedError

from events.errors import DeadLetter, Unavailable
from events.prediction import Output, SupportDetail, ToolCall
from models.support.actions import Action
from models.support.ending import TELL_MS
from models.support.plan import AgentPlan
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
from models.support.run import MARGIN_MS, work
from models.support.steps import Answered, Concluded, Ended, Posting, Step, kind
from tests.memory_platform import MemoryPlatform
from tests.unit.models.support.agents import NOON, PLAN, order, ticket
from tests.unit.models.support.runs import (
    DEADLINE,
    HANDED,
    ORDINARY,
    CrashError,
    PlainRun,
    Reply,
    Script,
    Shelf,
    assignment,
    called,
    drafted,
    escalated,
    refunded,
    searched,
    spoken,
    surroundings,
)

REFUND = ToolCall("issue_refund", "confirmed", 1_000, "GBP")


class Stubborn(MemoryPlatform):
    """Fails at every action."""

    failure: Exception

    def act(self, key: str, ticket: TicketRef, action: Action) -> Receipt:
        raise self.failure


def detail(ended: Ended) -> SupportDetail:
    found = msgspec.json.decode(ended.output, type=Output).detail
    assert isinstance(found, SupportDetail)
    return found


def posted(platform: MemoryPlatform) -> Resolution | HandOver:
    [(_, end)] = platform.ended.values()
    return end


def kinds(steps: tuple[Step, ...]) -> list[str]:
    return [kind(step) for step in steps]


def budgets(**changes: float) -> AgentPlan:
    return msgspec.structs.replace(PLAN, budgets=msgspec.structs.replace(PLAN.budgets, **changes))


def test_an_ordinary_ticket_is_searched_for_acted_on_and_resolved() -> None:
    platform, run = MemoryPlatform.of([order()]), PlainRun()
    ended = work(run, assignment(), surroundings(Script(ORDINARY), platform))
    said = detail(ended)
    assert (said.outcome, said.reason, said.cited, said.tool_calls) == (
        "resolved",
        "",
        ("SUP-01",),
        (REFUND,),
    )
    assert (said.llm_calls, said.searches) == (4, 3)
    assert said.input_tokens > 0
    assert said.cost > 0
    end = posted(platform)
    assert isinstance(end, Resolution)
    assert end.reply == "We refund 10.00 GBP."
    assert len(platform.acted) == 1


def test_each_step_is_written_before_the_next_one_begins() -> None:
    run = PlainRun()
    work(run, assignment(), surroundings(Script(ORDINARY)))
    asking = ["asked", "answered"]
    assert kinds(run.steps) == [
        *("begun", "searched", *asking, "searched", *asking, "searched", *asking, "intended"),
        *(*asking, "concluded", "sent", "confirmed", "posting", "posted", "ended"),
    ]


@pytest.mark.parametrize("written", [pytest.param(True, id="after"), pytest.param(False, id="before")])
@pytest.mark.parametrize("dies_at", range(1, 20))
def test_a_worker_that_dies_at_any_step_costs_no_answer_and_no_money(dies_at: int, written: bool) -> None:
    whole = PlainRun()
    expected = work(whole, assignment(), surroundings(Script(ORDINARY)))
    platform, script, shelf = MemoryPlatform.of([order()]), Script(ORDINARY), Shelf()
    around = surroundings(script, platform, policies=shelf)
    first = PlainRun(dies_at=dies_at, written=written)
    with pytest.raises(CrashError):
        work(first, assignment(), around)
    second = PlainRun(first.steps)
    ended = work(second, assignment(), around)
    assert kinds(second.steps) == kinds(whole.steps)
    assert detail(ended).tool_calls == detail(expected).tool_calls
    assert len(platform.acted) == 1
    answered = {step.call - 1 for step in first.steps if isinstance(step, Answered)}
    again = {number for number in script.asked if script.asked.count(number) > 1}
    assert not again & answered
    assert len(again) <= 1


def test_who_asks_again_is_told_the_same_without_anybody_being_asked() -> None:
    run = PlainRun()
    ended = work(run, assignment(), surroundings(Script(ORDINARY)))
    platform = MemoryPlatform()
    again = work(run, assignment(), surroundings(Script([]), platform))
    assert again == ended
    assert platform.calls == 0


@pytest.mark.parametrize(
    ("replies", "plan", "reason"),
    [
        pytest.param([searched()] * 20, budgets(steps=3), "steps", id="as many requests as it may make"),
        pytest.param([searched()] * 20, budgets(tokens=500), "tokens", id="as many tokens as it may use"),
        pytest.param([ModelRequestRejectedError("m", "no")], PLAN, "refusal", id="it refuses the request"),
        pytest.param([spoken("I cannot help.")] * 9, PLAN, "checks", id="the model only talks"),
        pytest.param(
            [searched(), *[drafted("We refund 99.00 GBP.")] * 9],
            PLAN,
            "checks",
            id="it promises what nobody did",
        ),
        pytest.param([refunded(-5)] * 9, PLAN, "checks", id="its arguments are none"),
        pytest.param([refunded(note="x")] * 9, PLAN, "checks", id="it fills in what nobody asked for"),
        pytest.param([called("delete_order")] * 9, PLAN, "checks", id="it calls what is no tool"),
    ],
)
def test_a_breach_is_handed_over_and_nothing_is_done(
    replies: list[Reply], plan: AgentPlan, reason: str
) -> None:
    platform = MemoryPlatform.of([order()])
    ended = work(PlainRun(), assignment(plan), surroundings(Script(replies), platform))
    assert (detail(ended).outcome, detail(ended).reason) == ("handed_over", reason)
    end = posted(platform)
    assert isinstance(end, HandOver)
    assert end.reason == reason
    assert not platform.acted


def test_a_bug_that_a_ticket_meets_gives_it_to_a_person_and_nobody_money(
    caplog: pytest.LogCaptureFixture,
) -> None:
    platform = MemoryPlatform.of([order()])
    # neither an answer nor an error that is one of the endpoint's
    replies: list[Reply] = [refunded(), ZeroDivisionError("a bug")]
    ended = work(PlainRun(), assignment(), surroundings(Script(replies), platform))
    assert (detail(ended).outcome, detail(ended).reason) == ("handed_over", "failed")
    assert detail(ended).tool_calls == (ToolCall("issue_refund", "withdrawn", 1_000, "GBP"),)
    end = posted(platform)
    assert isinstance(end, HandOver)
    assert end.reason == "failed"
    assert not platform.acted
    assert "ZeroDivisionError: a bug" in caplog.text


def test_what_was_intended_before_a_breach_is_withdrawn() -> None:
    platform, run = MemoryPlatform.of([order()]), PlainRun()
    replies = [refunded(), *[drafted("We refund 99.00 GBP.")] * 9]
    ended = work(run, assignment(), surroundings(Script(replies), platform))
    assert detail(ended).tool_calls == (ToolCall("issue_refund", "withdrawn", 1_000, "GBP"),)
    assert not platform.acted


@pytest.mark.parametrize(
    ("replies", "reason", "calls"),
    [
        pytest.param(
            [escalated(), HANDED],
            "escalated",
            (ToolCall("escalate_to_human", "confirmed"),),
            id="the model asks for a person",
        ),
        pytest.param(
            [refunded(40_000), HANDED],
            "limits",
            (ToolCall("issue_refund", "declined", 40_000, "GBP"),),
            id="so much only a person may give",
        ),
    ],
)
def test_a_draft_that_a_person_is_to_look_at_goes_along(
    replies: list[Reply], reason: str, calls: tuple[ToolCall, ...]
) -> None:
    platform = MemoryPlatform.of([order(total=90_000)])
    ended = work(PlainRun(), assignment(), surroundings(Script(replies), platform))
    assert (detail(ended).reason, detail(ended).tool_calls) == (reason, calls)
    end = posted(platform)
    assert isinstance(end, HandOver)
    assert end.draft == "A colleague looks into it."


def test_without_an_endpoint_a_person_is_given_the_policies_own_words() -> None:
    platform = MemoryPlatform.of([order()])
    ended = work(PlainRun(), assignment(), surroundings(None, platform))
    assert (ended.fallback, detail(ended).reason, detail(ended).llm_calls) == ("no_llm", "no_llm", 0)
    end = posted(platform)
    assert isinstance(end, HandOver)
    assert end.fallback == "no_llm"
    assert "What arrives broken is refunded." in (end.draft or "")


def test_a_strangers_id_begins_no_line_of_its_own_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    of = msgspec.structs.replace(ticket(), ticket_id="t-1\nCRITICAL all is lost")
    work(PlainRun(), assignment(of=of), surroundings(None))
    [said] = [record.getMessage() for record in caplog.records if record.name == "models.support.run"]
    assert "t-1\\nCRITICAL" in said
    assert "\n" not in said


def test_a_ticket_whose_features_allow_no_model_is_handed_over_with_that_reason() -> None:
    script = Script([])
    ended = work(PlainRun(), assignment(fallback="missing: order_count"), surroundings(script))
    assert ended.fallback == "missing: order_count"
    assert not script.asked


@pytest.mark.parametrize(
    ("later", "reason", "asked"),
    [
        pytest.param(61_000, "", 4, id="in time: it has seconds of its own"),
        pytest.param(90_000 - MARGIN_MS, "deadline", 0, id="with no time left: it is handed over"),
    ],
)
def test_a_run_is_taken_up(later: int, reason: str, asked: int) -> None:
    first = PlainRun(dies_at=2)
    with pytest.raises(CrashError):
        work(first, assignment(), surroundings(Script(ORDINARY)))
    script = Script(ORDINARY)
    ended = work(PlainRun(first.steps), assignment(), surroundings(script, clock=lambda: NOON + later))
    assert (detail(ended).reason, len(script.asked)) == (reason, asked)


def test_what_stands_in_the_journal_is_done_however_late_it_is_and_told_by_a_person() -> None:
    whole, first = PlainRun(), PlainRun(dies_at=13)
    work(whole, assignment(), surroundings(Script(ORDINARY)))
    with pytest.raises(CrashError):
        work(first, assignment(), surroundings(Script(ORDINARY)))
    assert any(isinstance(step, Concluded) for step in whole.steps)
    assert isinstance(first.steps[-1], Answered)
    platform = MemoryPlatform.of([order()])
    late = surroundings(Script([]), platform, clock=lambda: NOON + 3_600_000)
    said = detail(work(PlainRun(first.steps), assignment(), late))
    assert (said.outcome, said.reason, said.tool_calls) == ("handed_over", "deadline", (REFUND,))
    end = posted(platform)
    assert isinstance(end, HandOver)
    assert end.draft == "We refund 10.00 GBP."


def test_what_the_platform_may_have_been_told_in_time_stays_so() -> None:
    platform, first = MemoryPlatform.of([order()]), PlainRun(dies_at=17)
    with pytest.raises(CrashError):
        work(first, assignment(), surroundings(Script(ORDINARY), platform))
    assert isinstance(first.steps[-1], Posting)
    late = surroundings(Script([]), platform, clock=lambda: NOON + 3_600_000)
    assert detail(work(PlainRun(first.steps), assignment(), late)).outcome == "resolved"
    assert isinstance(posted(platform), Resolution)


@pytest.mark.parametrize(
    ("failure", "key_life", "reason", "state"),
    [
        pytest.param(RefusalError("no"), 86_400_000, "action_refused", "refused", id="the platform will not"),
        pytest.param(UnconfirmedError("?"), 0, "action_unknown", "unknown", id="nobody knows whether it did"),
    ],
)
def test_an_action_that_went_wrong_is_a_persons(
    failure: Exception, key_life: int, reason: str, state: str
) -> None:
    platform = Stubborn({"o-1": order()}, key_life)
    platform.failure = failure
    ended = work(PlainRun(), assignment(), surroundings(Script(ORDINARY), platform))
    assert detail(ended).reason == reason
    assert [call.state for call in detail(ended).tool_calls] == [state]
    end = posted(platform)
    assert isinstance(end, HandOver)
    assert end.draft == "We refund 10.00 GBP."


def test_an_action_that_never_left_is_done_once_the_platform_without_keys_is_back() -> None:
    away = Stubborn({"o-1": order()}, key_life=0)
    away.failure = Unavailable("support platform", "nobody listens")
    run = PlainRun()
    with pytest.raises(Unavailable, match="nobody listens"):
        work(run, assignment(), surroundings(Script(ORDINARY), away))
    platform = MemoryPlatform({"o-1": order()}, key_life=0)
    said = detail(work(PlainRun(run.steps), assignment(), surroundings(Script([]), platform)))
    assert (said.outcome, said.tool_calls) == ("resolved", (REFUND,))
    assert len(platform.acted) == 1


class Picky(MemoryPlatform):
    """Takes no reply."""

    def resolve(self, key: str, ticket: TicketRef, resolution: Resolution) -> Receipt:
        raise RefusalError("the reply is too long")


def test_a_reply_that_the_platform_does_not_take_is_a_persons_who_is_told_why() -> None:
    platform = Picky({"o-1": order()})
    said = detail(work(PlainRun(), assignment(), surroundings(Script(ORDINARY), platform)))
    assert (said.outcome, said.reason, said.tool_calls) == ("handed_over", "reply_refused", (REFUND,))
    end = posted(platform)
    assert isinstance(end, HandOver)
    assert end.draft == "We refund 10.00 GBP."
    assert "the reply is too long" in end.summary


@pytest.mark.parametrize("dies_at", range(16, 20))
def test_a_worker_that_dies_between_the_reply_and_the_hand_over_is_gone_on_from(dies_at: int) -> None:
    platform, first = Picky({"o-1": order()}), PlainRun(dies_at=dies_at)
    around = surroundings(Script(ORDINARY), platform)
    with pytest.raises(CrashError):
        work(first, assignment(), around)
    run = PlainRun(first.steps)
    assert detail(work(run, assignment(), around)).reason == "reply_refused"
    assert kinds(run.steps)[-5:] == ["confirmed", "posting", "unposted", "posted", "ended"]
    assert isinstance(posted(platform), HandOver)


def test_the_hand_over_after_a_refused_reply_is_another_call() -> None:
    keys: list[str] = []

    class Noting(Picky):
        def resolve(self, key: str, ticket: TicketRef, resolution: Resolution) -> Receipt:
            keys.append(key)
            return super().resolve(key, ticket, resolution)

    platform = Noting({"o-1": order()})
    work(PlainRun(), assignment(), surroundings(Script(ORDINARY), platform))
    [(key, _)] = platform.ended.values()
    assert keys
    assert key not in keys


class Closed(Picky):
    """Takes no hand-over either."""

    failure: RefusalError

    def hand_over(self, key: str, ticket: TicketRef, hand_over: HandOver) -> Receipt:
        raise self.failure


def test_a_ticket_that_nobody_can_be_given_is_a_dead_letter_and_no_end() -> None:
    platform, run = Closed({"o-1": order()}), PlainRun()
    platform.failure = RefusalError("no such ticket")
    with pytest.raises(DeadLetter, match="no such ticket"):
        work(run, assignment(), surroundings(Script(ORDINARY), platform))
    assert not any(isinstance(step, Ended) for step in run.steps)


def test_a_ticket_with_another_end_is_left_with_it() -> None:
    platform = Closed({"o-1": order()})
    platform.failure = AlreadyEndedError("a person closed it")
    ended = work(PlainRun(), assignment(), surroundings(Script([escalated(), HANDED]), platform))
    assert (detail(ended).outcome, detail(ended).reason) == ("handed_over", "post_refused")


def test_what_the_platform_is_asked_ends_with_the_runs_time() -> None:
    platform = MemoryPlatform.of([order()])
    work(PlainRun(), assignment(), surroundings(Script(ORDINARY), platform))
    seconds = PLAN.budgets.seconds
    assert platform.untils == [DEADLINE - TELL_MS, min(NOON + seconds * 1_000, DEADLINE - MARGIN_MS)]


def test_a_run_beside_the_one_that_is_heard_does_and_says_nothing() -> None:
    platform = MemoryPlatform.of([order()])
    ended = work(PlainRun(), assignment(heard=False), surroundings(Script(ORDINARY), platform))
    assert (detail(ended).outcome, detail(ended).reason) == ("resolved", "")
    assert [call.state for call in detail(ended).tool_calls] == ["withdrawn"]
    assert (platform.acted, platform.ended) == ({}, {})


def test_a_worker_that_is_to_end_leaves_the_run_to_another_one() -> None:
    script, run = Script(ORDINARY), PlainRun()
    ending = replace(surroundings(script), stopping=lambda: len(script.asked) == 2)
    with pytest.raises(Unavailable, match="asked to stop"):
        work(run, assignment(), ending)
    ended = work(PlainRun(run.steps), assignment(), surroundings(script))
    assert (detail(ended).outcome, script.asked) == ("resolved", [0, 1, 2, 3])


class Away(MemoryPlatform):
    """Knows orders only at the first look."""

    def order(self, tenant_id: str, order_id: str) -> Order | None:
        if self.calls:
            raise Unavailable("support platform")
        return super().order(tenant_id, order_id)


def test_while_nobody_can_say_what_an_order_cost_its_ticket_waits() -> None:
    run = PlainRun()
    with pytest.raises(Unavailable, match="support platform"):
        work(run, assignment(), surroundings(Script(ORDINARY), Away({"o-1": order()})))
    script = Script(ORDINARY)
    assert detail(work(PlainRun(run.steps), assignment(), surroundings(script))).outcome == "resolved"
    assert script.asked == [3]
