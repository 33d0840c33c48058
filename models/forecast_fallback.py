"""What is forecast of a SKU that has too little of a past for the ensemble?"""

from typing import Literal

import numpy as np

from models.forecast_columns import usual_most
from models.forecasting import COVERAGE, HORIZON_DAYS, DailySeries, Floats, Forecast

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
    """Who forecasts this SKU, by what is known of it."""
    if not series.demand.any():
        return "unsold"
    if len(series) < NEW_DAYS:
        return "new"
    recent = np.count_nonzero(series.demand[-RECENT_DAYS:])
    return "intermittent" if recent < FEWEST_SALES else "regular"


def now_and_then(series: DailySeries) -> Forecast:
    """The same for each day. On most days nothing is sold: the interval may hold more than it should."""
    return _level(tsb(series.demand), float(np.quantile(series.demand[-RECENT_DAYS:], _HIGH)), "TSB")


def nothing() -> Forecast:
    """Of what was never sold."""
    return _level(0.0, 0.0, "nothing sold")


def tsb(demand: Floats) -> float:
    """Pieces a day by Teunter, Syntetos & Babai (2011): how likely a sale is, times how large.

    Unlike Croston's method it forgets a SKU that is no longer sold. `demand` has a day with a sale.
    """
    capped = np.minimum(demand, usual_most(demand))
    sizes = capped[capped > 0]
    size, chance = float(sizes[0]), len(sizes) / len(capped)
    for pieces in capped.tolist():
        chance += SMOOTHING * (float(pieces > 0) - chance)
        if pieces > 0:
            size += SMOOTHING * (pieces - size)
    return chance * size


def _level(mean: float, high: float, method: str) -> Forecast:
    line = np.ones(HORIZON_DAYS)
    return Forecast(mean * line, 0.0 * line, max(mean, high) * line, method)
