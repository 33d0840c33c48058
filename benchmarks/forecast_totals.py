"""The quantiles of a week's total: the forecaster's beside each part's alone and the seasonal naive's. Pure.

A baseline has no quantiles of its own: it gets those of its residuals, by the same rule as the forecaster:
measured on the same weeks, in units of the SKU's own level (mean of eight weeks), in the same four groups of
SKUs by level.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from models.forecast_totals import Calibration
from models.forecasting import HORIZON_DAYS, QUANTILES, Floats
from training.accuracy import Truth, bootstrap, covered, pinball
from training.forecast_measuring import Joined, Measured

RECENT_DAYS = 56
LEAST_LEVEL = 0.5
"""Pieces a week."""
Part = Callable[[Measured], Floats]
"""What a part said of each day, `[nights, SKUs, days]`."""
PARTS: Mapping[str, Part] = {
    "XGBoost alone": lambda found: found.trees,
    "Prophet alone": lambda found: found.prophet,
    "seasonal naive": lambda found: found.naive,
}


def total_lines(before: Measured, found: Measured, own: Joined, calibration: Calibration) -> Iterator[str]:
    """The table: pinball loss and coverage by quantile, and the differences to each, with 95 % intervals."""
    said = {"ensemble": own.total}
    said |= {name: with_residuals(part, before, found, calibration) for name, part in PARTS.items()}
    yield "\nthe week's total: pinball loss in pieces (coverage), by quantile"
    yield f"{'':18}" + "".join(f"{level:>20}" for level in QUANTILES)
    for name, total in said.items():
        yield f"{name:18}" + "".join(_cell(found.truth, total[..., at], at) for at in range(len(QUANTILES)))
    yield "\nthe ensemble's pinball loss less theirs, on the same draws of SKUs:"
    for name in PARTS:
        differences = (
            _difference(found.truth, own.total[..., at], said[name][..., at], level)
            for at, level in enumerate(QUANTILES)
        )
        yield f"{name:18}" + "".join(f"{each:>26}" for each in differences)


def with_residuals(part: Part, before: Measured, found: Measured, calibration: Calibration) -> Floats:
    """`[nights, SKUs, QUANTILES]` of a part, by its residuals on the weeks before."""
    said, level = part(before).sum(axis=2), _levels(before)
    residuals = (before.truth.actual.sum(axis=2) - said) / level
    groups = np.searchsorted(calibration.borders, level - LEAST_LEVEL, side="right")
    here, now = _levels(found), part(found).sum(axis=2)
    places = np.searchsorted(calibration.borders, here - LEAST_LEVEL, side="right")
    total = np.zeros((*now.shape, len(QUANTILES)))
    for group in range(len(calibration.groups)):
        learned = np.quantile(residuals[groups == group], QUANTILES)
        total[places == group] = (now[..., np.newaxis] + here[..., np.newaxis] * learned)[places == group]
    return np.maximum(total, 0.0)


def _levels(found: Measured) -> Floats:
    def level(demand: Floats) -> float:
        recent = demand[-RECENT_DAYS:]
        return float(recent.sum()) / max(1, len(recent)) * HORIZON_DAYS + LEAST_LEVEL

    return np.array([[level(each.known.demand) for each in night] for night in found.seen])


def _cell(truth: Truth, total: Floats, at: int) -> str:
    level = QUANTILES[at]
    return f"{pinball(truth, total, level):>11.2f} ({covered(truth, total, level):.1%})"


def _difference(truth: Truth, own: Floats, other: Floats, level: float) -> str:
    low, high = bootstrap(
        truth,
        lambda some, places: pinball(some, own[:, places], level) - pinball(some, other[:, places], level),
    )
    less = pinball(truth, own, level) - pinball(truth, other, level)
    return f"{less:+.2f} [{low:+.2f}, {high:+.2f}]"
