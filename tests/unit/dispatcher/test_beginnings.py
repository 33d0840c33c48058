"""The first offset to reconcile if positions or outcomes expired."""

import pytest

from dispatcher.beginnings import Beginning, begin_anew, beginning


@pytest.mark.parametrize(
    ("committed", "fed", "low", "decidable", "expected"),
    [
        pytest.param(40, 90, 0, None, Beginning(40), id="where it had committed"),
        pytest.param(None, 90, 10, None, Beginning(10), id="nothing committed: the outcomes tell"),
        pytest.param(None, 90, 10, 70, Beginning(70, 60), id="older outcomes expired: not fed again"),
        pytest.param(None, 50, 10, 70, Beginning(50, 40), id="what was not fed yet is no less owed"),
        pytest.param(80, 90, 0, 70, Beginning(80), id="all outcomes since its position are there"),
        pytest.param(None, None, 10, 70, Beginning(10), id="nothing was fed at all"),
        pytest.param(40, 90, 60, 55, Beginning(55), id="what expired below is lost, not undecided"),
    ],
)
def test_where_it_begins(
    committed: int | None, fed: int | None, low: int, decidable: int | None, expected: Beginning
) -> None:
    assert beginning(committed, fed, low, decidable) == expected


def test_a_topic_that_was_made_again_is_new_and_one_that_lost_its_tail_is_not() -> None:
    assert begin_anew(None, 0, 7) == 0
    assert begin_anew(90, 0, 7) == 7
