"""The seasonal naive forecast, which repeats last week: the one that every other has to beat."""

import hashlib
from collections.abc import Mapping
from datetime import date

import numpy as np

from models.forecasting import (
    COVERAGE,
    LONGEST_DAYS,
    QUANTILES,
    DailySeries,
    Floats,
    Forecast,
    repeated_weeks,
)
from models.workflow import ModelVersion

METHOD = "seasonal naive"
LOOKED_AT_WEEKS = 8
_WEEK = 7
_NAME = "seasonal-naive"


class SeasonalNaive:
    """`models.forecasting.Forecaster`: each day as a week before; Hyndman & Athanasopoulos, FPP3, 5.2.

    Bounds and quantiles are those of the errors that this made over the last weeks; a horizon's total has the
    errors of totals of that length.
    """

    version = ModelVersion(f"{_NAME}-v2", "2", hashlib.sha256(f"{_NAME} 2".encode()).hexdigest(), "")

    def forecast(self, series: Mapping[str, DailySeries], night: date) -> Mapping[str, Forecast]:
        """By SKU, the days from `night` on; a day before the series' beginning counts as 0."""
        return {sku: _repeated(each.before(night).demand) for sku, each in series.items()}


def _repeated(demand: Floats) -> Forecast:
    needed = (LOOKED_AT_WEEKS + 1) * _WEEK
    recent = np.concatenate([np.zeros(max(0, needed - len(demand))), demand[-needed:]])
    mean = repeated_weeks(recent[-_WEEK:])
    errors = recent[_WEEK:] - recent[:-_WEEK]
    below, above = np.quantile(errors, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    low, high = np.maximum(mean + min(below, 0.0), 0.0), mean + max(above, 0.0)
    quantiles = _above(np.tile(np.quantile(errors, QUANTILES), (LONGEST_DAYS, 1)), mean)
    totals = np.maximum.accumulate(_above(_errors_of_totals(recent), mean.cumsum()))
    return Forecast(mean, mean, low, high, _from_median(quantiles, mean), totals, METHOD)


def _above(errors: Floats, said: Floats) -> Floats:
    made: Floats = np.maximum(said[:, np.newaxis] + errors, 0.0)
    return made


def _errors_of_totals(recent: Floats) -> Floats:
    """`[days, QUANTILES]` of the errors of totals of so many days, that repeated a week."""
    rows = []
    for days in range(1, LONGEST_DAYS + 1):
        windows = np.lib.stride_tricks.sliding_window_view(recent, _WEEK + days)
        repeats = np.bincount(np.arange(days) % _WEEK, minlength=_WEEK)
        errors = windows[:, _WEEK:].sum(axis=1) - windows[:, :_WEEK] @ repeats
        rows.append(np.quantile(errors, QUANTILES))
    return np.array(rows)


def _from_median(quantiles: Floats, median: Floats) -> Floats:
    quantiles[:, 0] = median
    made: Floats = np.maximum.accumulate(quantiles, axis=1)
    return made
