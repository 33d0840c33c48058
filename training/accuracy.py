"""WAPE, MASE, bias, pinball loss and coverage of forecasts, and their intervals by bootstrap. Pure.

Arrays are `[nights, SKUs, days]`, in pieces; a scale is `[nights, SKUs]`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.forecasting import Floats
from training.transactions import Places

RESAMPLES = 2_000
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Truth:
    """What was sold, and each SKU's scale for MASE."""

    actual: Floats
    scale: Floats

    def of_skus(self, places: Places) -> "Truth":
        """Some of the SKUs, each as often as it is named."""
        return Truth(self.actual[:, places], self.scale[:, places])


def scale_of(demand: Floats) -> float:
    """The mean absolute error that last week's same day made within the past; NaN with a week or less.

    Hyndman & Koehler, *Another look at measures of forecast accuracy* (2006).
    """
    return float(np.abs(demand[_WEEK:] - demand[:-_WEEK]).mean()) if len(demand) > _WEEK else np.nan


def wape(truth: Truth, forecast: Floats) -> float:
    """The sum of all absolute errors, by all that was sold."""
    return float(np.abs(truth.actual - forecast).sum() / truth.actual.sum())


def mase(truth: Truth, forecast: Floats) -> float:
    """The mean over SKUs of the absolute error in units of their scale; who has none is left out."""
    error = np.abs(truth.actual - forecast).mean(axis=2)
    known = truth.scale > 0
    return float((error[known] / truth.scale[known]).mean())


def bias(truth: Truth, forecast: Floats) -> float:
    """How much more was forecast than sold, by what was sold: -0.1 is a tenth too little."""
    return float(forecast.sum() / truth.actual.sum() - 1)


def weekly_wape(truth: Truth, forecast: Floats) -> float:
    """As `wape`, of the seven days together: what a restock has to get right."""
    error = np.abs(truth.actual.sum(axis=2) - forecast.sum(axis=2))
    return float(error.sum() / truth.actual.sum())


def pinball(truth: Truth, quantile: Floats, level: float) -> float:
    """The pinball loss of a quantile of the days' total, in pieces: the mean over nights and SKUs.

    `quantile` is `[nights, SKUs]`, `level` from 0 to 1: a piece too few costs `level`, one too many the rest.
    Koenker & Bassett, *Regression quantiles* (1978).
    """
    error = truth.actual.sum(axis=2) - quantile
    return float(np.maximum(level * error, (level - 1) * error).mean())


def covered(truth: Truth, quantile: Floats, level: float) -> float:  # noqa: ARG001  # as `pinball` is called
    """The share of totals that did not exceed a quantile: for a good one its level. `quantile` as above."""
    return float((truth.actual.sum(axis=2) <= quantile).mean())


def coverage(truth: Truth, low: Floats, high: Floats) -> float:
    """The share of days on which what was sold lay between the two."""
    return float(((low <= truth.actual) & (truth.actual <= high)).mean())


def bootstrap(
    truth: Truth, statistic: Callable[[Truth, Places], float], seed: int = 7
) -> tuple[float, float]:
    """The 95 % interval of a statistic over SKUs that are drawn again and again: Efron's percentiles.

    A SKU's nights and days stay together, since their errors are no independent ones.
    """
    rng, skus = np.random.default_rng(seed), truth.scale.shape[1]
    draws = rng.integers(0, skus, (RESAMPLES, skus), np.intp)
    found = [statistic(truth.of_skus(places), places) for places in draws]
    low, high = np.quantile(found, [0.025, 0.975]).tolist()
    return low, high
