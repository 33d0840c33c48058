"""A worker waits in place while a dependency is down."""

from collections.abc import Callable

import pytest

from events.errors import Unavailable
from tasks.patience import SLICE_MS, OutOfPatience, Patience
from tasks.policy import Limits
from tests.unit.tasks.fakes import FakeTimer

LIMITS = Limits(patience=5_000, surrender=8_000, publish=3_000, longest_backoff=10_000)


def failing(times: int) -> Callable[[], str]:
    """Unavailable so many times, then an answer."""
    left = [times]

    def call() -> str:
        if left[0]:
            left[0] -= 1
            raise Unavailable("redis", "connection refused")
        return "answer"

    return call


def waiting(timer: FakeTimer, stopping: Callable[[], bool] = lambda: False) -> Patience:
    """A task that has just begun."""
    return Patience(LIMITS, stopping, timer)


def test_what_is_there_is_had_at_once() -> None:
    timer = FakeTimer()

    assert waiting(timer).through(failing(0)) == "answer"
    assert timer.slept == []


def test_it_waits_longer_each_time_and_goes_on_as_soon_as_it_can() -> None:
    timer = FakeTimer()
    patience = waiting(timer)

    assert patience.through(failing(3)) == "answer"
    assert timer.time == 50 + 100 + 200
    assert not patience.waiting


def test_it_says_that_it_waits_while_it_does() -> None:
    timer = FakeTimer()
    patience = waiting(timer)
    seen: list[bool] = []
    timer.on_sleep = lambda: seen.append(patience.waiting)

    patience.through(failing(1))

    assert seen == [True]


def test_its_patience_ends_before_its_limit() -> None:
    timer = FakeTimer()

    with pytest.raises(OutOfPatience) as caught:
        waiting(timer).through(failing(1_000))

    assert caught.value.dependency == "redis"
    assert 3_000 < timer.time <= LIMITS.patience


def test_what_it_waited_for_one_thing_counts_for_the_next() -> None:
    timer = FakeTimer()
    patience = waiting(timer)
    patience.through(failing(5))

    with pytest.raises(OutOfPatience):
        patience.through(failing(1_000))

    assert timer.time <= LIMITS.patience


def test_a_worker_that_is_asked_to_stop_does_not_sleep_on() -> None:
    timer = FakeTimer()
    asked = [False]

    def ask() -> None:
        asked[0] = timer.time >= 2_000

    timer.on_sleep = ask

    with pytest.raises(OutOfPatience):
        waiting(timer, lambda: asked[0]).through(failing(1_000))

    assert timer.time < 2_000 + 2 * SLICE_MS


def test_other_errors_are_not_its_business() -> None:
    def call() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        waiting(FakeTimer()).through(call)


@pytest.mark.parametrize(
    ("refusals", "taken"),
    [
        pytest.param(0, True, id="a broker that is there takes the batch back"),
        pytest.param(4, True, id="one that comes back takes it then"),
        pytest.param(1_000, False, id="one that stays away gets the message itself back"),
    ],
)
def test_a_batch_is_handed_back_for_as_long_as_there_is_time(refusals: int, taken: bool) -> None:
    timer = FakeTimer()
    broker = failing(refusals)

    def send() -> None:
        broker()

    assert waiting(timer).hand_back(send) is taken
    assert timer.time <= LIMITS.surrender
