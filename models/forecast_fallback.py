"""The forecast of a SKU that has too little of a past for the ensemble."""

from typing import Literal

import numpy as np

from models.forecast_columns import WINDOW_DAYS, usual_most
from models.forecast_totals import empirical_totals
from models.forecasting import COVERAGE, LONGEST_DAYS, QUANTILES, DailySeries, Floats, Forecast

Kind = Literal[
    "regular",  # the ensemble
    "new",  # XGBoost alone: Prophet finds no week in a few days
    "intermittent",  # TSB, which beat XGBoost on these: docs/forecasts.md
    "unsold",  # zero
]

MODELLED: tuple[Kind, ...] = ("regular", "new")
"""Of these the global model has something to say: it is fitted on them, and asked for them."""
NEW_DAYS = 28
"""For so long after its first sale a SKU is new."""
RECENT_DAYS = 84
FEWEST_SALES = 8
"""With sales on fewer of the recent days, a SKU is sold now and then."""
SMOOTHING = 0.1
_HIGH = (1 + COVERAGE) / 2


def kind_of(series: DailySeries) -> Kind:
    """What forecasts this SKU, by what is known of it."""
    if not series.demand.any():
        return "unsold"
    if len(series) < NEW_DAYS:
        return "new"
    recent = np.count_nonzero(series.demand[-RECENT_DAYS:])
    return "intermittent" if recent < FEWEST_SALES else "regular"


def now_and_then(series: DailySeries) -> Forecast:
    """The same for each day. On most days nothing is sold: the interval may hold more than it should."""
    high = float(np.quantile(series.demand[-RECENT_DAYS:], _HIGH))
    chance, size = tsb(series.demand)
    point, mean = chance * size, chance * float(series.demand[series.demand > 0].mean())
    totals = empirical_totals(series.demand[-WINDOW_DAYS:])
    return _level(mean, point, max(point, high), totals, "TSB")


def nothing() -> Forecast:
    """Of what was never sold."""
    return _level(0.0, 0.0, 0.0, np.zeros((LONGEST_DAYS, len(QUANTILES))), "nothing sold")


def tsb(demand: Floats) -> tuple[float, float]:
    """How likely a sale is on a day, and how large, bulk orders left out: Teunter, Syntetos & Babai (2011).

    Their product has a small absolute error. Unlike Croston's method it forgets a SKU that is no longer sold.
    `demand` has a day with a sale.
    """
    capped = np.minimum(demand, usual_most(demand))
    sizes = capped[capped > 0]
    size, chance = float(sizes[0]), len(sizes) / len(capped)
    for pieces in capped.tolist():
        chance += SMOOTHING * (float(pieces > 0) - chance)
        if pieces > 0:
            size += SMOOTHING * (pieces - size)
    return chance, size


def _level(mean: float, median: float, high: float, totals: Floats, method: str) -> Forecast:
    line = np.ones(LONGEST_DAYS)
    quantiles = np.maximum(np.tile(totals[0], (LONGEST_DAYS, 1)), median)
    quantiles[:, 0] = median
    return Forecast(mean * line, median * line, 0.0 * line, high * line, quantiles, totals, method)
