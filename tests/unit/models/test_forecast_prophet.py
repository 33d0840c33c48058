"""Prophet finds the week, stays between nothing and a usual day's most, and may find no fit at all."""

import logging
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from cmdstanpy import CmdStanModel
from prophet import Prophet

from models.forecast_columns import usual_most
from models.forecast_prophet import prophet_mean
from models.forecasting import LONGEST_DAYS, DailySeries, Floats
from tests.unit.models.demand import WEEK, series, weekly


def said(known: DailySeries) -> Floats:
    """Of the week after all that is known."""
    mean = prophet_mean(known, known.end)
    assert mean is not None
    assert mean.shape == (LONGEST_DAYS,)
    return mean


def test_a_week_that_comes_again_is_found() -> None:
    assert said(weekly(scale=10.0)) == pytest.approx(np.tile(WEEK, 4) * 10, abs=10)


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
    def gives_up(*_: object, **__: object) -> None:
        raise RuntimeError("Error during optimization")

    monkeypatch.setattr(Prophet, "fit", gives_up)
    assert prophet_mean(weekly(), weekly().end) is None


def test_if_one_optimiser_gives_up_the_other_fits_and_no_error_is_printed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[str] = []
    optimize = CmdStanModel.optimize

    def first_fails(self: CmdStanModel, **kwargs: Any) -> object:
        asked.append(str(kwargs["algorithm"]))
        if kwargs["algorithm"] == "LBFGS":
            logging.getLogger("cmdstanpy").error("Chain [1] error: code '1' Operation not permitted")
            raise RuntimeError("Error during optimization")
        return optimize(self, **kwargs)

    monkeypatch.setattr(CmdStanModel, "optimize", first_fails)
    assert prophet_mean(weekly(scale=10.0), weekly().end) == pytest.approx(np.tile(WEEK, 4) * 10, abs=10)
    assert asked == ["LBFGS", "Newton"]
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []
