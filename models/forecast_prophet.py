"""Prophet for one SKU: Taylor & Letham, *Forecasting at Scale* (2018), a trend and a week."""

import logging
from datetime import date, timedelta

import numpy as np
import pandas as pd

from models.forecast_columns import usual_most
from models.forecasting import LONGEST_DAYS, DailySeries, Floats

CHANGEPOINTS = 8
"""Places at which the trend may bend: a third less time than with the 25 by default, and no worse."""

# it says that it found no library for plots
logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)

from prophet import Prophet  # noqa: E402  # it says so when it is imported

# cmdstanpy logs each fit at INFO, a level that it sets itself at the first of them, and an optimiser that
# gave up as an error of the system: Stan's exit code 1 read as an errno is "Operation not permitted".
# Either is handled here: what gives up is fitted again, and logged below if that gives up too
logging.getLogger("cmdstanpy").addFilter(lambda record: record.levelno > logging.ERROR)

log = logging.getLogger(__name__)
LEAST_FOR_LBFGS = 100
"""Days. Prophet itself fits less than that by Newton's method."""


def prophet_mean(series: DailySeries, night: date) -> Floats | None:
    """Pieces a day from `night` on; None if no fit was found.

    Fitted to the square root of what was sold, so that large days bend it less: the absolute error of the
    ensemble is smaller for it (docs/forecasts.md). Samples of its uncertainty cost as much as the fit, and
    are not drawn: the ensemble has intervals of its own.
    """
    known = series.before(night)
    most = usual_most(known.demand)
    past = pd.date_range(known.first, periods=len(known), freq="D")
    frame = pd.DataFrame({"ds": past, "y": np.sqrt(np.minimum(known.demand, most))})
    model = _fitted(frame)
    if model is None:
        return None
    ahead = pd.date_range(night, night + timedelta(days=LONGEST_DAYS - 1), freq="D")
    root = model.predict(pd.DataFrame({"ds": ahead}))["yhat"].to_numpy(np.float64)
    # a trend knows no floor; and what hardly a day brought is not foretold by it
    mean: Floats = np.minimum(np.maximum(root, 0.0) ** 2, most)
    return mean


def _fitted(frame: pd.DataFrame) -> Prophet | None:
    """By L-BFGS; by Newton's method, which takes longer, if that finds no step that improves the fit."""
    for algorithm in ("LBFGS", "Newton") if len(frame) >= LEAST_FOR_LBFGS else ("Newton",):
        model = Prophet(
            growth="linear",
            n_changepoints=min(CHANGEPOINTS, len(frame) // 2),
            yearly_seasonality=False,
            weekly_seasonality=True,
            daily_seasonality=False,
            uncertainty_samples=0,
        )
        if model.stan_backend is not None:
            # its own way from one to the other logs a warning for each
            model.stan_backend.set_options(newton_fallback=False)
        try:
            return model.fit(frame, algorithm=algorithm)
        except RuntimeError:
            log.debug("Prophet found no fit by %s over %d days", algorithm, len(frame))
    return None
