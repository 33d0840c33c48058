"""Does the forecast that every other has to beat repeat last week?"""

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
    assert said.mean.tolist() == mean
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
        inside.append(((said.low <= came) & (came <= said.high)).mean())
    assert 0.72 <= np.mean(inside) <= 0.88
