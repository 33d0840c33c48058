"""What does a forecast say that only repeats last week? The one that every other has to beat."""

import hashlib
from collections.abc import Mapping
from datetime import date

import numpy as np

from models.forecasting import COVERAGE, HORIZON_DAYS, DailySeries, Floats, Forecast
from models.workflow import ModelVersion

METHOD = "seasonal naive"
LOOKED_AT_WEEKS = 8
_WEEK = 7
_NAME = "seasonal-naive"


class SeasonalNaive:
    """`models.forecasting.Forecaster`: each day as a week before; Hyndman & Athanasopoulos, FPP3, 5.2.

    The interval lies between the quantiles of the errors that this made over the last weeks.
    """

    version = ModelVersion(f"{_NAME}-v1", "1", hashlib.sha256(f"{_NAME} 1".encode()).hexdigest(), "")

    def forecast(self, series: Mapping[str, DailySeries], night: date) -> Mapping[str, Forecast]:
        """By SKU, the seven days from `night` on; a day before the series' beginning counts as 0."""
        return {sku: _repeated(each.before(night).demand) for sku, each in series.items()}


def _repeated(demand: Floats) -> Forecast:
    needed = (LOOKED_AT_WEEKS + 1) * _WEEK
    recent = np.concatenate([np.zeros(max(0, needed - len(demand))), demand[-needed:]])
    mean = recent[-_WEEK:].copy()
    errors = recent[_WEEK:] - recent[:-_WEEK]
    below, above = np.quantile(errors, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    low, high = np.maximum(mean + min(below, 0.0), 0.0), mean + max(above, 0.0)
    return Forecast(mean[:HORIZON_DAYS], low[:HORIZON_DAYS], high[:HORIZON_DAYS], METHOD)
