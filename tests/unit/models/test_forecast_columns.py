"""A row tells of a SKU's own past, in units of its own level, and of nothing else."""

from datetime import timedelta

import numpy as np
import pytest

from models.forecast_columns import COLUMNS, rows_of, usual_most
from models.forecasting import HORIZON_DAYS, DailySeries
from tests.unit.models.demand import DAYS, MONDAY, series, weekly

NIGHT = MONDAY + timedelta(days=DAYS)


def column(name: str, *of: DailySeries) -> list[float]:
    """One column's values, for the first day ahead of each SKU."""
    values: list[float] = rows_of(of, NIGHT).matrix[::HORIZON_DAYS, COLUMNS.index(name)].tolist()
    return values


@pytest.mark.parametrize(
    ("demand", "expected"),
    [
        pytest.param([], 0, id="nothing is known"),
        pytest.param([0, 0], 0, id="nothing was sold"),
        pytest.param([0, 3, 900], 900, id="with a handful of sales the largest may be usual"),
        pytest.param([1, 2, 0, 3, 4, 5, 6, 7, 8, 9, 10, 900], 10, id="one bulk order is not"),
    ],
)
def test_how_much_a_day_usually_brings_at_most(demand: list[float], expected: float) -> None:
    assert usual_most(np.array(demand, np.float64)) == expected


def test_nothing_from_the_night_on_is_looked_at() -> None:
    whole = weekly()
    night = NIGHT - timedelta(days=10)
    of_whole, of_past = rows_of([whole], night), rows_of([whole.before(night)], night)
    assert np.array_equal(of_whole.matrix, of_past.matrix, equal_nan=True)


def test_a_row_is_the_same_whatever_else_is_asked_for() -> None:
    alone = rows_of([weekly(seed=3)], NIGHT).matrix
    among = rows_of([weekly(seed=9), weekly(seed=3)], NIGHT).matrix
    # sums of a batch may differ in the last bit; XGBoost looks at no more than these
    of_alone, of_among = alone.astype(np.float32), among[HORIZON_DAYS:].astype(np.float32)
    assert np.array_equal(of_alone, of_among, equal_nan=True)


def test_skus_that_differ_by_their_size_alone_look_nearly_alike() -> None:
    small, large = weekly(), weekly()
    large = DailySeries(large.first, large.demand * 1_000, large.price)
    assert column("same_weekday_mean", large) == pytest.approx(column("same_weekday_mean", small), rel=0.01)
    assert rows_of([large], NIGHT).level[0] == pytest.approx(
        1_000 * rows_of([small], NIGHT).level[0], rel=0.01
    )


def test_each_day_ahead_has_its_own_weekday() -> None:
    rows = rows_of([weekly()], NIGHT).matrix
    assert rows[:, COLUMNS.index("weekday")].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert rows[:, COLUMNS.index("days_ahead")].tolist() == [0, 1, 2, 3, 4, 5, 6]
    closed = COLUMNS.index("same_weekday_share")
    assert [share > 0.5 for share in rows[:, closed]] == [True, True, True, True, True, False, True]


@pytest.mark.parametrize(
    ("name", "demand", "expected"),
    [
        pytest.param("days_since_sale", [1, 0, 0, 0], 3, id="days without a sale are counted"),
        pytest.param("days_since_sale", [0, 0, 1], 0, id="a sale of yesterday"),
        pytest.param("age_days", [1, 0, 1], 3, id="a new SKU is as old as its series"),
        pytest.param("share_of_days_with_sales_14d", [1, 0], 0.5, id="its own days count"),
        pytest.param("mean_3d", [6, 0, 0, 0], 0, id="what is older is in no mean"),
    ],
)
def test_what_a_short_past_says(name: str, demand: list[float], expected: float) -> None:
    known = series(demand, NIGHT - timedelta(days=len(demand)))
    assert column(name, known) == [pytest.approx(expected)]


def test_a_price_lasts_until_the_next_one_and_one_that_nobody_knows_is_none() -> None:
    first = NIGHT - timedelta(days=3)
    dearer = DailySeries(first, np.array([1.0, 1, 0]), np.array([1.0, 3, np.nan]))
    unknown = DailySeries(first, np.array([1.0, 0, 0]), np.full(3, np.nan))
    now, none = column("price_now_to_mean", dearer, unknown)
    assert now == pytest.approx(3 / np.mean([1, 3, 3]))
    assert np.isnan(none)
