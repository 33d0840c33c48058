"""The time at which an emission is sent."""

import pytest

from stack.player import remaining_s, speed_for


@pytest.mark.parametrize(
    ("at", "elapsed", "speed", "expected"),
    [
        pytest.param(10_000, 0.0, 1, 9.0, id="real time: nine seconds after the first"),
        pytest.param(10_000, 4.0, 1, 5.0, id="part of the wait has passed"),
        pytest.param(10_000, 0.0, 90, 0.1, id="ninety times as fast"),
        pytest.param(10_000, 20.0, 1, -11.0, id="late: its moment has come"),
        pytest.param(10_000, 0.0, None, 0.0, id="no speed waits for nothing"),
    ],
)
def test_how_long_an_emission_waits(at: int, elapsed: float, speed: float | None, expected: float) -> None:
    assert remaining_s(at, 1_000, elapsed, speed) == pytest.approx(expected)


def test_a_speed_for_a_rate() -> None:
    # 20,000 emissions of a day at 200 a second take 100 seconds
    assert 86_400 / speed_for(200, 20_000) == pytest.approx(100)
