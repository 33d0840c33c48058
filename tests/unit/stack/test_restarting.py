"""Restart backoff of a local process."""

import pytest

from stack.restarting import Restarts


@pytest.mark.parametrize(
    ("lives", "pauses"),
    [
        pytest.param([3], [0.5], id="the first end is followed by a short pause"),
        pytest.param([1, 1, 1, 1], [0.5, 1, 2, 4], id="each end after a short life doubles the pause"),
        pytest.param([1] * 6, [0.5, 1, 2, 4, 5, 5], id="the pause does not grow without end"),
        pytest.param([1, 1, 60, 1], [0.5, 1, 0.5, 1], id="a long life is a fresh start"),
    ],
)
def test_the_pause_before_a_restart(lives: list[float], pauses: list[float]) -> None:
    restarts = Restarts(first=0.5, longest=5, settled=60)
    assert [restarts.pause_after(lived) for lived in lives] == pauses


def test_a_process_that_dies_for_days_still_has_a_pause() -> None:
    restarts = Restarts()
    assert {restarts.pause_after(0) for _ in range(10_000)} == {0.5, 1, 2, 4, 8, 16, 30}
