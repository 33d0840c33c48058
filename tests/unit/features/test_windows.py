"""The values of a view at a time: nothing of the asking event, nothing later, whatever the order."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.decoding import decode_rows
from features.increments import Segment, encode_row, fold, of_segments, packed
from features.retail import CUSTOMER_ACTIVITY, CUSTOMER_ORDERS, NEVER, SKU_DEMAND, TERMINAL_ORDERS
from features.schema import StreamView
from features.tiling import EXACT
from features.views import DAY_S
from features.windows import Values, evaluate
from tests.unit.features.plainly import ONES, One, differences, plainly, segment, times, views

NOW = 1_000 * DAY_S
"""A tile of a second."""
ORDERS, FRAUDS = 0, 1


def asked(view: StreamView, *increments: tuple[int, int, int, int], at: int = NOW) -> dict[str, float]:
    """The values of one entity with these increments, asked at the tile `at`."""
    return asked_at(view, *increments, at=at * view.tile_ms)


def asked_at(view: StreamView, *increments: tuple[int, int, int, int], at: int) -> dict[str, float]:
    """The same at a time (epoch ms)."""
    values = _evaluated(view, [[segment(*increments)]], [0], [at])
    return dict(zip(view.names, values.matrix[0].tolist(), strict=True))


def _evaluated(view: StreamView, rows: list[list[Segment]], of: list[int], at: list[int]) -> Values:
    return evaluate(view, of_segments(rows), len(rows), np.array(of, np.intp), times(*at))


@pytest.mark.parametrize(
    ("second", "within"),
    [
        pytest.param(NOW, [], id="an order of the same second is not among those before it"),
        pytest.param(NOW + 1, [], id="nor is a later one"),
        pytest.param(NOW - 1, [1, 7, 30], id="the order of the second before is in every window"),
        pytest.param(NOW - DAY_S, [1, 7, 30], id="a day ago to the second is in the day's window"),
        pytest.param(NOW - DAY_S - 1, [7, 30], id="a second more is not"),
        pytest.param(NOW - 30 * DAY_S, [30], id="thirty days ago to the second is in the longest"),
        pytest.param(NOW - 30 * DAY_S - 1, [], id="a second more is in none"),
    ],
)
def test_where_windows_begin_and_end(second: int, within: list[int]) -> None:
    values = asked(CUSTOMER_ORDERS, (second, ORDERS, 1, 12_34))
    for days in (1, 7, 30):
        assert values[f"customer_count_{days}d"] == (days in within)
        assert values[f"customer_mean_amount_{days}d"] == (12.34 if days in within else 0)
    assert values["order_count"] == (second < NOW)


@pytest.mark.parametrize(
    ("back", "width"),
    [
        pytest.param(1, 300, id="a day back: five minutes"),
        pytest.param(7, 3_600, id="a week back: an hour"),
        pytest.param(30, 14_400, id="a month back: four hours"),
    ],
)
def test_a_window_begins_at_a_border_of_the_tiles_of_that_age(back: int, width: int) -> None:
    border = NOW - back * DAY_S
    for late in (1, width - 1):
        counted = [
            asked(CUSTOMER_ORDERS, (second, ORDERS, 1, 0), at=NOW + late)[f"customer_count_{back}d"]
            for second in (border - 1, border)
        ]
        assert counted == [0, 1]
    values = asked(CUSTOMER_ORDERS, (border, ORDERS, 1, 0), at=NOW + width)
    assert values[f"customer_count_{back}d"] == 0


def test_a_view_may_have_all_its_edges_at_its_own_resolution() -> None:
    view = replace(CUSTOMER_ORDERS, edges=EXACT)
    for second, counted in ((NOW - DAY_S + 1, 1), (NOW - DAY_S, 0)):
        assert asked(view, (second, ORDERS, 1, 0), at=NOW + 1)["customer_count_1d"] == counted


def test_two_orders_within_a_second_do_not_see_each_other() -> None:
    first = NOW * 1_000 + 100
    of_one_second = asked_at(CUSTOMER_ORDERS, (NOW, ORDERS, 1, 0), at=first + 550)
    of_the_next = asked_at(CUSTOMER_ORDERS, (NOW, ORDERS, 1, 0), at=first + 900)
    assert (of_one_second["order_count"], of_the_next["order_count"]) == (0, 1)


def test_a_lifetime_has_no_beginning() -> None:
    values = asked(CUSTOMER_ORDERS, (1, ORDERS, 1, 100), (NOW - 1, ORDERS, 1, 250), at=NOW)
    assert (values["lifetime_value"], values["order_count"]) == (3.5, 2)
    assert values["days_since_last_order"] == 1 / DAY_S


_WEEK = 7 * DAY_S


@pytest.mark.parametrize(
    ("increments", "risk"),
    [
        pytest.param([(NOW - _WEEK - 5, ORDERS)], 0, id="an order that nobody complained of"),
        pytest.param(
            [(NOW - _WEEK - 5, ORDERS), (NOW - 5, FRAUDS)], 1, id="a label seven days late meets its order"
        ),
        pytest.param(
            [(NOW - _WEEK - 5, ORDERS), (NOW - _WEEK - 9, ORDERS), (NOW - 9, FRAUDS)],
            0.5,
            id="one of two orders was fraud",
        ),
        pytest.param(
            [(NOW - _WEEK - 5, ORDERS), (NOW, FRAUDS)], 0, id="a label of this second is not known yet"
        ),
        pytest.param(
            [(NOW - 5, ORDERS), (NOW - 4, FRAUDS)], 0, id="an order of this week is not looked at yet"
        ),
        pytest.param(
            [(NOW - _WEEK - 5, ORDERS), (NOW - 5, FRAUDS), (NOW - 4, FRAUDS)],
            1,
            id="more labels than orders are no risk above one",
        ),
    ],
)
def test_a_terminals_risk(increments: list[tuple[int, int]], risk: float) -> None:
    values = asked(TERMINAL_ORDERS, *((tile, measure, 1, 0) for tile, measure in increments))
    assert values["terminal_risk_1d"] == risk


def test_a_day_of_demand_is_a_day_of_the_calendar() -> None:
    today = 20_000
    sold = [(today - 8, 0, 1, 1), (today - 7, 0, 1, 10), (today - 1, 0, 2, 100), (today, 0, 1, 1_000)]
    values = asked(SKU_DEMAND, *sold, at=today)
    assert values == {"demand_1d": 100, "demand_7d": 110, "demand_28d": 111}


@pytest.mark.parametrize(
    ("tiles", "recency", "absent"),
    [
        pytest.param([NOW - 90], 90, False, id="seconds since the last visit"),
        pytest.param([NOW - 90, NOW - 30, NOW + 5], 30, False, id="the newest that came before"),
        pytest.param([NOW], NEVER, True, id="of the same second: nothing came before"),
        pytest.param([], NEVER, True, id="never"),
        pytest.param([NOW - 90 * DAY_S], 90 * DAY_S, False, id="as long ago as the view holds"),
        pytest.param([NOW - 90 * DAY_S - 1], NEVER, True, id="longer ago than the view holds"),
    ],
)
def test_how_long_ago(tiles: list[int], recency: float, absent: bool) -> None:
    rows = [[segment(*((tile, 0, 1, 0) for tile in tiles))]]
    values = _evaluated(CUSTOMER_ACTIVITY, rows, [0], [NOW * 1_000])
    assert (values.matrix[0, 0], values.absent[0, 0]) == (recency, absent)


def test_an_entity_of_which_nothing_came_before_is_absent_whole() -> None:
    values = _evaluated(CUSTOMER_ORDERS, [[segment((NOW, ORDERS, 1, 100))]], [0, 0], [NOW * 1_000, 1])
    assert values.absent.all()
    assert values.newest.tolist() == [-1, -1]
    assert values.matrix[0].tolist() == [feature.default for feature in CUSTOMER_ORDERS.features]


def test_the_newest_is_that_before_the_question() -> None:
    tiles = (NOW - 3, NOW - 1, NOW + 1)
    rows = [[segment(*((tile, ORDERS, 1, 0) for tile in tiles))]]
    values = _evaluated(CUSTOMER_ORDERS, rows, [0, 0], [NOW * 1_000, (NOW - 1) * 1_000 + 999])
    assert values.newest.tolist() == [(NOW - 1) * 1_000, (NOW - 3) * 1_000]


def test_sums_that_run_over_in_the_whole_batch_are_right_for_each_entity() -> None:
    most = 2**62
    rows = [[segment((NOW - 1, ORDERS, 1, most))] for _ in range(5)]
    values = _evaluated(CUSTOMER_ORDERS, rows, [4, 0], [NOW * 1_000] * 2)
    lifetime = CUSTOMER_ORDERS.names.index("lifetime_value")
    assert values.matrix[:, lifetime].tolist() == [most / 100] * 2


@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=1, max_size=9), st.data())
def test_no_sum_overflows(amounts: list[int], data: st.DataObject) -> None:
    """Nor does it differ in a bit however its increments were grouped before."""
    alone = [(NOW - 9 * DAY_S + place % 3, ORDERS, 1, amount) for place, amount in enumerate(amounts)]
    parted = data.draw(st.lists(st.integers(0, 2), min_size=len(alone), max_size=len(alone)))
    spread = [
        fold(segment(*(each for each, part in zip(alone, parted, strict=True) if part == number)), view, NOW)
        for number, view in enumerate(
            [CUSTOMER_ORDERS, CUSTOMER_ORDERS, replace(CUSTOMER_ORDERS, slack_days=1)]
        )
    ]
    lifetime = CUSTOMER_ORDERS.names.index("lifetime_value")
    for row in ([segment(*alone)], [fold(segment(*alone), CUSTOMER_ORDERS, NOW + 99 * DAY_S)], spread):
        values = _evaluated(CUSTOMER_ORDERS, [row], [0], [(NOW + 100 * DAY_S) * 1_000])
        assert values.matrix[0, lifetime] == float(sum(amounts)) / 100


@given(st.lists(st.integers(1, 2**31 - 1), min_size=1, max_size=9))
def test_no_count_overflows(counts: list[int]) -> None:
    row = fold(segment(*((NOW, ORDERS, n, 0) for n in counts)), CUSTOMER_ORDERS, NOW + 99 * DAY_S)
    values = _evaluated(CUSTOMER_ORDERS, [[row]], [0], [(NOW + 100 * DAY_S) * 1_000])
    assert values.matrix[0, CUSTOMER_ORDERS.names.index("order_count")] == sum(counts)


@pytest.mark.parametrize(
    ("at", "newest"),
    [
        pytest.param(0, -1, id="at the beginning of time"),
        pytest.param(2**32 * 1_000 + 5, (2**32 - 2) * 1_000, id="after the last tile"),
        pytest.param(253_402_300_799_999, (2**32 - 2) * 1_000, id="at the end of the year 9999"),
    ],
)
def test_a_question_from_far_away_is_answered_of_its_own_entity(at: int, newest: int) -> None:
    rows = [[segment((2**32 - 2, ORDERS, 1, 0))], [], [segment((1, ORDERS, 1, 0))]]
    values = _evaluated(TERMINAL_ORDERS, rows, [0, 1], [at, at])
    assert values.exact.all()
    assert values.newest.tolist() == [newest, -1]


def test_no_questions_and_no_increments() -> None:
    assert _evaluated(CUSTOMER_ORDERS, [], [], []).matrix.shape == (0, 9)
    assert _evaluated(CUSTOMER_ORDERS, [[]], [0], [NOW * 1_000]).absent.all()


@given(st.data(), views(), st.lists(st.lists(ONES, max_size=12), min_size=1, max_size=4))
def test_any_values_are_as_said_plainly(data: st.DataObject, view: StreamView, rows: list[list[One]]) -> None:
    queries = data.draw(
        st.lists(st.tuples(st.integers(0, len(rows) - 1), st.integers(0, 75 * view.tile_ms)), max_size=8)
    )
    of, at = [row for row, _ in queries], [time for _, time in queries]
    values = _evaluated(view, [[segment(*row)] for row in rows], of, at)
    assert values.exact.all()
    for query, (row, time) in enumerate(queries):
        assert not differences(view, values, query, plainly(view, rows[row], time))


@given(st.data(), views(), st.lists(ONES, min_size=1, max_size=15), st.integers(0, 75))
def test_however_increments_are_spread_and_folded_what_is_exact_is_right(
    data: st.DataObject, view: StreamView, ones: list[One], now: int
) -> None:
    parts: dict[int, list[One]] = {}
    for one in data.draw(st.permutations(ones)):
        parts.setdefault(data.draw(st.integers(-1, 2)), []).append(one)
    seen_from = [data.draw(st.integers(0, 70)) for _ in parts]
    row = [
        fold(Segment(partition, 9, packed(part)), view, newest)
        for (partition, part), newest in zip(parts.items(), seen_from, strict=True)
    ]
    at = now * view.tile_ms
    increments = decode_rows([encode_row(row, view)], len(view.measures))
    values = evaluate(view, increments, 1, np.array([0], np.intp), times(at))
    if now >= max(seen_from) - view.slack_tiles:
        assert values.exact[0]
    if values.exact[0]:
        assert not differences(view, values, 0, plainly(view, ones, at))


@pytest.mark.parametrize(
    ("at", "exact"),
    [
        pytest.param(NOW, True, id="just now"),
        pytest.param(NOW - 7 * DAY_S, True, id="as long ago as the slack reaches"),
        pytest.param(NOW - 7 * DAY_S - 1, False, id="a second more: a window began with what was folded"),
        pytest.param(NOW - 8 * DAY_S, False, id="a day more"),
        pytest.param(1, False, id="before all that was folded"),
    ],
)
def test_whether_an_answer_rests_on_what_was_folded(at: int, exact: bool) -> None:
    old = NOW - 37 * DAY_S - 2
    row = fold(segment((old, ORDERS, 1, 100), (NOW, ORDERS, 1, 100)), CUSTOMER_ORDERS, NOW)
    values = _evaluated(CUSTOMER_ORDERS, [[row], []], [0, 1], [at * 1_000] * 2)
    assert values.exact.tolist() == [exact, True]


@given(st.data(), views(), st.lists(st.lists(ONES, max_size=12), min_size=1, max_size=3))
def test_the_order_of_increments_changes_no_bit_of_a_value(
    data: st.DataObject, view: StreamView, rows: list[list[One]]
) -> None:
    shuffled = [data.draw(st.permutations(row)) for row in rows]
    at = [data.draw(st.integers(0, 75)) * view.tile_ms for _ in rows]
    of = list(range(len(rows)))
    before, after = (
        _evaluated(view, [[segment(*row)] for row in either], of, at) for either in (rows, shuffled)
    )
    for one, other in zip(before, after, strict=True):
        assert one.tobytes() == other.tobytes()


_ORDERS = st.lists(st.tuples(st.integers(0, 50 * DAY_S), st.booleans()), max_size=30)


@given(_ORDERS, st.integers(45 * DAY_S, 60 * DAY_S))
def test_with_labels_after_seven_days_the_risk_is_the_handbooks(
    orders: list[tuple[int, bool]], now: int
) -> None:
    placed = [(second, ORDERS, 1, 0) for second, _ in orders]
    labels = [(second + _WEEK, FRAUDS, 1, 0) for second, fraud in orders if fraud]
    values = asked(replace(TERMINAL_ORDERS, edges=EXACT), *placed, *labels, at=now)
    for days in (1, 7, 30):
        begin, end = now - _WEEK - days * DAY_S, now - _WEEK
        frauds = [fraud for second, fraud in orders if begin <= second < end]
        assert values[f"terminal_count_{days}d"] == len(frauds)
        assert values[f"terminal_risk_{days}d"] == (sum(frauds) / len(frauds) if frauds else 0)


def test_more_questions_than_fit_the_cache_get_the_same_answers() -> None:
    rng = np.random.default_rng(7)
    rows = [
        [segment(*((int(tile), ORDERS, 1, 100) for tile in rng.integers(NOW - 40 * DAY_S, NOW, 20)))]
        for _ in range(50)
    ]
    of, at = rng.integers(0, 50, 40_000), rng.integers(NOW - 40 * DAY_S, NOW, 40_000) * 1_000
    increments = of_segments(rows)
    whole = evaluate(CUSTOMER_ORDERS, increments, 50, of, at)
    for part in np.split(np.arange(40_000), 5):
        alone = evaluate(CUSTOMER_ORDERS, increments, 50, of[part], at[part])
        for together, one_by_one in zip(whole, alone, strict=True):
            np.testing.assert_array_equal(together[part], one_by_one)
