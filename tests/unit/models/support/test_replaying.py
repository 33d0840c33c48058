"""A journal that is replayed leads to the conclusion that it had."""

import msgspec
import pytest

from models.support.actions import Escalation
from models.support.journal import RunRow
from models.support.replaying import replay
from models.support.run import work
from models.support.steps import Answered, Concluded, Searched, Step
from tests.memory_platform import MemoryPlatform
from tests.unit.models.support.agents import NOON, PLAN, order
from tests.unit.models.support.runs import (
    HANDED,
    ORDINARY,
    PlainRun,
    Reply,
    Script,
    assignment,
    drafted,
    escalated,
    refunded,
    searched,
    spoken,
    surroundings,
)

ROW = RunRow("pred_1", "acme", "t-1", "e-1", "ai-support-agent-v1", NOON)


def played(replies: list[Reply] | None) -> tuple[Step, ...]:
    run, platform = PlainRun(), MemoryPlatform.of([order(total=90_000)])
    work(run, assignment(), surroundings(None if replies is None else Script(replies), platform))
    return run.steps


@pytest.mark.parametrize(
    "replies",
    [
        pytest.param(list(ORDINARY), id="resolved"),
        pytest.param([escalated(), HANDED], id="a person asked for"),
        pytest.param([searched(), refunded(40_000), HANDED], id="beyond the limits"),
        pytest.param([searched(), drafted("We refund 99.00 GBP."), refunded(), drafted()], id="corrected"),
        pytest.param([spoken("I cannot help.")] * 9, id="no draft at all"),
        pytest.param(None, id="no endpoint"),
    ],
)
def test_a_replay_comes_to_the_same_conclusion(replies: list[Reply] | None) -> None:
    replayed = replay(ROW, played(replies), PLAN)
    assert replayed.then is not None
    now = replayed.now and msgspec.structs.replace(replayed.now, at=replayed.then.at)
    assert now == replayed.then or replayed.then.reason == "no_llm"
    assert replayed.same


@pytest.mark.parametrize("length", range(14))
def test_a_run_that_goes_on_is_replayed_as_far_as_it_is(length: int) -> None:
    replayed = replay(ROW, played(list(ORDINARY))[:length], PLAN)
    assert (replayed.then, replayed.same) == (None, True)


def changed(steps: tuple[Step, ...], number: int, step: Step) -> tuple[Step, ...]:
    return (*steps[:number], step, *steps[number + 1 :])


def test_a_journal_that_was_changed_is_seen() -> None:
    steps = played(list(ORDINARY))
    place = next(place for place, step in enumerate(steps) if isinstance(step, Concluded))
    concluded = steps[place]
    assert isinstance(concluded, Concluded)
    another = msgspec.structs.replace(concluded, reply="We refund 1,000.00 GBP.")
    assert not replay(ROW, changed(steps, place, another), PLAN).same


def test_a_journal_with_a_step_that_does_not_follow_is_seen() -> None:
    steps = played(list(ORDINARY))
    place = [place for place, step in enumerate(steps) if isinstance(step, Searched)][1]
    answered = next(step for step in steps if isinstance(step, Answered))
    replayed = replay(ROW, changed(steps, place, answered), PLAN)
    assert replayed.now is not None
    assert replayed.now.reason == "diverged"
    assert not replayed.same


def test_the_escalation_of_a_replayed_run_is_not_sent_again() -> None:
    platform = MemoryPlatform.of([order()])
    run = PlainRun()
    work(run, assignment(), surroundings(Script([escalated(), HANDED]), platform))
    calls = platform.calls
    replay(ROW, run.steps, PLAN)
    assert platform.calls == calls
    assert [type(action) for action in platform.acted.values()] == [Escalation]
