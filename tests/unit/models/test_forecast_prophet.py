"""Prophet finds the week, stays between nothing and a usual day's most, and may find no fit at all."""

from datetime import timedelta

import numpy as np
import pytest
from prophet import Prophet

from models.forecast_columns import usual_most
from models.forecast_prophet import prophet_mean
from models.forecasting import HORIZON_DAYS, DailySeries, Floats
from tests.unit.models.demand import WEEK, series, weekly


def said(known: DailySeries) -> Floats:
    """Of the week after all that is known."""
    mean = prophet_mean(known, known.end)
    assert mean is not None
    assert mean.shape == (HORIZON_DAYS,)
    return mean


def test_a_week_that_comes_again_is_found() -> None:
    assert said(weekly(scale=10.0)) == pytest.approx(WEEK * 10, abs=10)


@pytest.mark.parametrize(
    "demand",
    [
        pytest.param(np.linspace(90, 0, 60), id="it falls to nothing"),
        pytest.param(np.linspace(0, 90, 60) ** 2, id="it rises ever faster"),
        pytest.param([1.0] * 59 + [1e6], id="a bulk order came yesterday"),
        pytest.param([3.0] * 28, id="it is known for four weeks, the same each day"),
    ],
)
def test_what_is_said_lies_between_nothing_and_a_usual_days_most(demand: Floats) -> None:
    known = series(demand)
    mean = said(known)
    assert (mean >= 0).all()
    assert (mean <= usual_most(known.demand)).all()


def test_what_comes_after_the_night_is_not_looked_at() -> None:
    known = weekly()
    night = known.end - timedelta(days=20)
    of_whole, of_past = prophet_mean(known, night), prophet_mean(known.before(night), night)
    assert of_whole is not None
    assert of_past is not None
    assert of_whole.tolist() == of_past.tolist()


def test_where_stan_gives_up_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def gives_up(*_: object) -> None:
        raise RuntimeError("Error during optimization")

    monkeypatch.setattr(Prophet, "fit", gives_up)
    assert prophet_mean(weekly(), weekly().end) is None
