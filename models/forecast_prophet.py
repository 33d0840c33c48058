"""What does Prophet say of one SKU? Taylor & Letham, *Forecasting at Scale* (2018): a trend and a week."""

import logging
from datetime import date, timedelta

import numpy as np
import pandas as pd

from models.forecast_columns import usual_most
from models.forecasting import HORIZON_DAYS, DailySeries, Floats

CHANGEPOINTS = 8
"""Places at which the trend may bend: a third less time than with the 25 by default, and no worse."""

# it says that it found no library for plots
logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)

from prophet import Prophet  # noqa: E402  # it says so when it is imported

# each fit is reported at INFO, a level that the library sets itself at the first of them
logging.getLogger("cmdstanpy").addFilter(lambda record: record.levelno > logging.INFO)


def prophet_mean(series: DailySeries, night: date) -> Floats | None:
    """Pieces a day from `night` on; None where no fit was found.

    Fitted to the square root of what was sold, so that large days bend it less: the absolute error of the
    ensemble is smaller for it (docs/forecasts.md). Samples of its uncertainty cost as much as the fit, and
    are not drawn: the ensemble has intervals of its own.
    """
    known = series.before(night)
    most = usual_most(known.demand)
    past = pd.date_range(known.first, periods=len(known), freq="D")
    model = Prophet(
        growth="linear",
        n_changepoints=min(CHANGEPOINTS, len(known) // 2),
        yearly_seasonality=False,
        weekly_seasonality=True,
        daily_seasonality=False,
        uncertainty_samples=0,
    )
    try:
        model.fit(pd.DataFrame({"ds": past, "y": np.sqrt(np.minimum(known.demand, most))}))
    except RuntimeError:
        # cmdstanpy's, where Stan's optimiser gave up: the other half of the ensemble goes on alone
        return None
    ahead = pd.date_range(night, night + timedelta(days=HORIZON_DAYS - 1), freq="D")
    root = model.predict(pd.DataFrame({"ds": ahead}))["yhat"].to_numpy(np.float64)
    # a trend knows no floor; and what hardly a day brought is not foretold by it
    mean: Floats = np.minimum(np.maximum(root, 0.0) ** 2, most)
    return mean
