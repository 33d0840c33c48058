"""Exponential backoff: it doubles, is bounded, and its jitter never returns 0."""

import pytest

from core.backoff import exponential, half_jittered


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        pytest.param(0, 50, id="the first pause is the shortest"),
        pytest.param(1, 100, id="each failure doubles it"),
        pytest.param(5, 1_000, id="up to the longest"),
        pytest.param(100_000, 1_000, id="however long the outage is"),
    ],
)
def test_a_pause_doubles_up_to_the_longest(failures: int, expected: int) -> None:
    assert exponential(failures, 50, 1_000) == expected


@pytest.mark.parametrize(("share", "expected"), [(0.0, 5.0), (1.0, 10.0)])
def test_half_of_a_pause_is_fixed(share: float, expected: float) -> None:
    assert half_jittered(10, share) == expected
