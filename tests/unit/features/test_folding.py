"""Folding: fewer increments, the same values."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.decoding import decode_rows
from features.increments import compact, encoded_row, fold, of_segments
from features.retail import CUSTOMER_ORDERS, TERMINAL_ORDERS
from features.schema import StreamView
from features.segments import INCREMENT, Segment, packed
from features.views import DAY_S
from features.windows import evaluate
from tests.unit.features.plainly import ONES, One, differences, plainly, segment, times, views

NOW = 1_000 * DAY_S
OLD = NOW - 37 * DAY_S
"""The longest window of thirty days and seven of slack."""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param([(OLD, 0, 1, 5)], [(OLD, 0, 1, 5)], id="what a window may still begin with stays"),
        pytest.param([(OLD - 1, 0, 1, 5)], [(OLD - 1, 0x80, 1, 5)], id="what is older is marked as folded"),
        pytest.param(
            [(OLD - 1, 0, 1, 5), (OLD - 9, 0, 1, 6)],
            [(OLD - 1, 0x80, 2, 11)],
            id="old ones become one, as of the newest of them",
        ),
        pytest.param(
            [(OLD - 5, 0x80, 7, 70), (OLD - 1, 0, 1, 5), (OLD + 1, 0, 1, 6)],
            [(OLD - 1, 0x80, 8, 75), (OLD + 1, 0, 1, 6)],
            id="what was folded takes in what grew old since",
        ),
        pytest.param(
            [(OLD - 1, 0x80, 7, 70), (OLD - 5, 0, 1, 5)],
            [(OLD - 1, 0x80, 8, 75)],
            id="what came late is folded into what is newer",
        ),
        pytest.param(
            [(NOW, 0, 1, 5), (NOW - 1, 0, 1, 1), (NOW, 0, 1, 6)],
            [(NOW - 1, 0, 1, 1), (NOW, 0, 2, 11)],
            id="what is of one tile becomes one",
        ),
        pytest.param([], [], id="nothing stays nothing"),
    ],
)
def test_what_becomes_of_increments(
    before: list[tuple[int, int, int, int]], after: list[tuple[int, int, int, int]]
) -> None:
    folded = fold(segment(*before, partition=3, position=9), CUSTOMER_ORDERS, NOW)
    assert folded.increments.tolist() == after
    assert folded[:2] == (3, 9)


def test_each_measure_is_folded_for_itself() -> None:
    view = replace(CUSTOMER_ORDERS, measures=CUSTOMER_ORDERS.measures * 2)
    before = segment((1, 0, 1, 5), (2, 1, 1, 0), (3, 1, 1, 0))
    assert fold(before, view, NOW).increments.tolist() == [(1, 0x80, 1, 5), (3, 0x81, 2, 0)]


def test_a_row_is_compacted_segment_by_segment() -> None:
    parts = [
        segment((1, 0, 1, 5), (2, 0, 1, 5), position=4),
        segment((NOW, 0, 1, 1), partition=1, position=8),
    ]
    found = decode_rows([compact(parts, CUSTOMER_ORDERS, NOW)])
    assert [column.tolist() for column in found.positions] == [[0, 0], [0, 1], [4, 8]]
    assert found.n.tolist() == [2, 1]
    assert found.base is not None
    assert found.base.tolist() == [True, False]


@given(
    views(),
    st.lists(ONES, min_size=1, max_size=20),
    st.lists(st.integers(0, 60), min_size=1, max_size=4),
    st.integers(0, 10),
)
def test_every_value_from_the_slack_on_stays(
    view: StreamView, ones: list[One], seen_from: list[int], later: int
) -> None:
    kept = Segment(0, 1, packed(ones))
    for newest in seen_from:
        kept = fold(kept, view, newest)
    asked = max(seen_from) - view.slack_tiles + later
    at = max(0, asked) * view.tile_ms
    values = evaluate(view, of_segments([[kept]]), 1, np.array([0], np.intp), times(at))
    assert values.exact[0]
    assert not differences(view, values, 0, plainly(view, ones, at))


def test_the_row_of_an_entity_that_is_busy_every_second_stays_below_a_megabyte() -> None:
    """Five segments of both measures, and each may double until it is compacted again."""
    rng = np.random.default_rng(1)
    busy = np.zeros(200_000, INCREMENT)
    busy["tile"] = NOW - rng.integers(0, 40 * DAY_S, len(busy))
    busy["tile"][:20_000] = NOW - rng.integers(0, 7_200, 20_000)
    busy["measure"] = rng.integers(0, 2, len(busy))
    busy["n"] = 1
    row = encoded_row([Segment(partition, 9, busy) for partition in range(-1, 4)], TERMINAL_ORDERS)
    assert len(row) < 500_000
    online, one_by_one = (
        evaluate(TERMINAL_ORDERS, increments, 1, np.zeros(1, np.intp), times((NOW + 5_000) * 1_000)).matrix
        for increments in (decode_rows([row]), of_segments([[Segment(0, 9, np.tile(busy, 5))]]))
    )
    np.testing.assert_array_equal(online, one_by_one)
