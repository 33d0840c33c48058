"""The report of a lane's completeness."""

import pytest

from dispatcher.completeness import line, of_lane
from dispatcher.reconciling import Completeness


def test_a_lane_is_the_sum_of_its_partitions() -> None:
    lane = of_lane([Completeness(10, 100, 4, 1), Completeness(20, 300, 0, 0)])
    assert lane == Completeness(30, 400, 4, 1)
    assert lane.ratio == pytest.approx(0.99)


@pytest.mark.parametrize(
    ("figures", "text"),
    [
        pytest.param(Completeness(5, 0, 0, 0), "lane: 100 % of 0 fed are complete", id="nothing was fed"),
        pytest.param(
            Completeness(0, 50_000, 10, 2),
            "lane: 99.98 % of 50,000 fed are complete, 10 open, 2 of them overdue",
            id="some are open",
        ),
        pytest.param(
            Completeness(0, 1_000_000, 1, 1),
            "lane: 99.99 % of 1,000,000 fed are complete, 1 open, 1 of them overdue",
            id="one of a million missing does not read as complete",
        ),
    ],
)
def test_the_line_that_is_logged(figures: Completeness, text: str) -> None:
    assert line("lane", figures) == text
