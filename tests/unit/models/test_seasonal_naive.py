"""The forecast that every other has to beat repeats last week."""

from datetime import date, timedelta

import numpy as np
import pytest

from models.forecasting import DailySeries
from models.seasonal_naive import SeasonalNaive

NIGHT = date(2026, 3, 2)


def series(*demand: float) -> DailySeries:
    values = np.array(demand, dtype=np.float64)
    return DailySeries(NIGHT - timedelta(days=len(demand)), values, np.full(len(demand), np.nan))


@pytest.mark.parametrize(
    ("demand", "mean"),
    [
        pytest.param((9, 9, 1, 2, 3, 4, 5, 6, 7), [1, 2, 3, 4, 5, 6, 7], id="each day as a week before"),
        pytest.param((4, 5), [0, 0, 0, 0, 0, 4, 5], id="nothing was sold before the first day"),
        pytest.param((), [0] * 7, id="a SKU without a past"),
    ],
)
def test_what_is_expected(demand: tuple[float, ...], mean: list[float]) -> None:
    said = SeasonalNaive().forecast({"a": series(*demand)}, NIGHT)["a"]
    assert said.mean.tolist() == mean * 4
    assert said.median.tolist() == said.mean.tolist()
    assert (np.diff(said.totals, axis=0) >= 0).all()
    assert (np.diff(said.quantiles, axis=1) >= 0).all()
    assert (said.low >= 0).all()
    assert (said.low <= said.mean).all()
    assert (said.mean <= said.high).all()


def test_the_bounds_are_as_wide_as_its_errors_were() -> None:
    rng = np.random.default_rng(1)
    demand = 100 + rng.normal(0, 10, 400)
    whole = series(*demand)
    inside = []
    for ahead in range(300, 393):
        night = whole.first + timedelta(days=ahead)
        said = SeasonalNaive().forecast({"a": whole}, night)["a"]
        came = demand[ahead : ahead + 7]
        inside.append(((said.low[:7] <= came) & (came <= said.high[:7])).mean())
    assert 0.72 <= np.mean(inside) <= 0.88


def test_the_quantiles_of_a_horizons_total_hold_what_they_say() -> None:
    rng = np.random.default_rng(1)
    demand = 100 + rng.normal(0, 10, 600)
    whole = series(*demand)
    below = []
    for ahead in range(100, 580, 3):
        said = SeasonalNaive().forecast({"a": whole}, whole.first + timedelta(days=ahead))["a"]
        below.append(demand[ahead : ahead + 14].sum() <= said.totals[13])
    assert np.mean(below, axis=0) == pytest.approx([0.5, 0.8, 0.9, 0.95], abs=0.12)
