"""Estimates from the depth of a queue."""

import pytest

from dispatcher.depth import Attribution, Looks
from dispatcher.feeding import Depth
from events.priority import Priority

HIGH, STANDARD, LOW, BATCH = Priority


@pytest.mark.parametrize(
    ("sent", "total", "expected"),
    [
        pytest.param([HIGH, LOW], 2, {HIGH: 1, LOW: 1}, id="all that was sent still waits"),
        pytest.param([LOW, HIGH, LOW], 2, {LOW: 2}, id="the urgent one was taken first"),
        pytest.param([HIGH, HIGH, STANDARD], 1, {STANDARD: 1}, id="the least urgent is left"),
        pytest.param([HIGH], 0, {}, id="everything was taken"),
        pytest.param([HIGH], 4, {HIGH: 1, BATCH: 3}, id="what others sent counts as least urgent"),
        pytest.param([], 2, {BATCH: 2}, id="nothing was sent by us"),
    ],
)
def test_what_waits_is_the_least_urgent_of_what_was_sent(
    sent: list[Priority], total: int, expected: dict[Priority, int]
) -> None:
    attribution = Attribution()
    for priority in sent:
        attribution.on_sent(priority)
    waiting = attribution.waiting(total)
    assert {priority: count for priority, count in waiting.items() if count} == expected
    assert sum(waiting.values()) == total


def test_what_was_taken_is_forgotten() -> None:
    attribution = Attribution()
    attribution.on_sent(HIGH)
    attribution.waiting(0)
    attribution.on_sent(LOW)
    assert attribution.waiting(1)[HIGH] == 0


@pytest.mark.parametrize(
    ("unchanged_ms", "pause"),
    [
        pytest.param(0, 1, id="something has just happened: look at once"),
        pytest.param(4, 1, id="batches of milliseconds are looked at every millisecond"),
        pytest.param(80, 10, id="an eighth of the time for which nothing has changed"),
        pytest.param(90_000, 20, id="an urgent record behind a slow batch waits no longer than this"),
    ],
)
def test_a_queue_that_moves_slowly_is_looked_at_less_often(unchanged_ms: int, pause: int) -> None:
    looks = Looks(1, 20)
    looks.pause_after(Depth({HIGH: 2}), 1_000)
    assert looks.pause_after(Depth({HIGH: 2}), 1_000 + unchanged_ms) == pause
    assert looks.pause_after(Depth({HIGH: 1}), 1_000 + unchanged_ms) == 1
