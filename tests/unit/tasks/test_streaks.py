"""Unexpected errors: those of one event, and those that are an outage."""

import pytest

from events.errors import DeadLetter, Retry, Unavailable
from events.lane import Batch
from tasks.lifecycle import Lifecycle
from tasks.policy import UnexpectedError
from tasks.streaks import OUTAGE_AFTER, Guarded, Streak, fingerprint
from tests.unit.tasks.fakes import NOW, QUEUE, Scripted, Store, batch_of

GOOD = "a success"
N = OUTAGE_AFTER


@pytest.mark.parametrize(
    ("history", "outage"),
    [
        pytest.param([("a", n) for n in range(N)], True, id="different events in a row, one fingerprint"),
        pytest.param([("a", n) for n in range(N - 1)], False, id="too few of them"),
        pytest.param([("a", 1)] * 3 * N, False, id="one event again and again"),
        pytest.param([("ab"[n % 2], n) for n in range(3 * N)], False, id="two fingerprints in turn"),
        pytest.param([*(("a", n) for n in range(N - 1)), GOOD, ("a", 9)], False, id="others succeed"),
        pytest.param([*(("a", n) for n in range(N)), GOOD], False, id="it is over with the first success"),
        pytest.param([*(("a", n) for n in range(N)), ("b", 9)], False, id="something else is wrong by now"),
    ],
)
def test_events_in_a_row_with_one_fingerprint_are_an_outage(history: list[object], outage: bool) -> None:
    streak = Streak()
    for step in history:
        if isinstance(step, tuple):
            streak.failed(*step)
        else:
            streak.succeeded()
    assert streak.outage is outage


def test_a_fingerprint_is_the_type_and_the_line_that_raised() -> None:
    def raised(text: str) -> BaseException:
        with pytest.raises(KeyError) as caught:
            dict[str, str]()[text]
        return caught.value

    assert fingerprint(raised("a")) == fingerprint(raised("b"))
    assert fingerprint(raised("a")).startswith("KeyError at test_streaks.py:")
    assert fingerprint(KeyError("never raised")) == "KeyError at an unknown line"


def guarded(workflow: Scripted, streak: Streak) -> Guarded:
    """As a worker makes it for a message."""
    return Guarded(Lifecycle(workflow, Store(), lambda: NOW, "1"), streak, "scripted", (TimeoutError,))


def failing(streak: Streak, line: str = "a") -> None:
    """Bring it to an outage."""
    for number in range(N):
        streak.failed(line, number)


def decide(workflow: Scripted, batch: Batch, streak: Streak) -> None:
    """One try."""
    guarded(workflow, streak).decide(batch, QUEUE, 0)


@pytest.mark.parametrize(
    ("error", "events", "expected"),
    [
        pytest.param(ZeroDivisionError("a bug"), ("a",), UnexpectedError, id="a bug, an event alone"),
        pytest.param(ZeroDivisionError("a bug"), ("a", "b"), ZeroDivisionError, id="a bug, in a batch"),
        pytest.param(Retry("not yet"), ("a", "b"), Retry, id="what a workflow may raise"),
        pytest.param(DeadLetter("rejected", "never"), ("a",), DeadLetter, id="a refusal"),
        pytest.param(TimeoutError(), ("a",), TimeoutError, id="a time limit: the caller's"),
    ],
)
def test_each_error_has_one_reaction(error: Exception, events: tuple[str, ...], expected: type) -> None:
    with pytest.raises(expected) as raised:
        decide(Scripted(raises=[error]), batch_of(*events), Streak())
    assert type(raised.value) is expected


def test_in_an_outage_one_event_tries_for_all_and_nothing_is_given_up() -> None:
    streak, workflow = Streak(), Scripted(raises=[ZeroDivisionError("a bug")])
    failing(streak, fingerprint_of_scripted())

    with pytest.raises(Unavailable, match="workflow scripted"):
        decide(workflow, batch_of("a", "b", "c"), streak)

    assert workflow.seen == [["a"]]


def test_the_first_success_ends_an_outage_and_the_rest_of_the_batch_follows() -> None:
    streak, workflow = Streak(), Scripted()
    failing(streak)

    decide(workflow, batch_of("a", "b", "c"), streak)

    assert workflow.seen == [["a"], ["a", "b", "c"]]
    assert not streak.outage


def fingerprint_of_scripted() -> str:
    """Of what the scripted workflow raises."""
    try:
        decide(Scripted(raises=[ZeroDivisionError()]), batch_of("a"), Streak())
    except UnexpectedError as error:
        return fingerprint(error.__cause__ or error)
    raise AssertionError
