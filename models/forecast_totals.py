"""The mean and the quantiles of demand over a horizon, calibrated on residuals of held-out weeks.

Split conformal prediction (Vovk et al. 2005) with groups: a residual is measured in units of a SKU's own
scale, and its quantiles are those of all SKUs that sell about as much. Pure.
"""

from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np

from models.forecasting import HORIZON_DAYS, LONGEST_DAYS, QUANTILES, DailySeries, Floats, repeated_weeks

HORIZONS = (1, 7, 14, 28)
"""Days of the horizons whose residuals are measured; those of another horizon lie between its neighbours'."""
RECENT_DAYS = 56
LEAST_SCALE = 0.07
"""Pieces a day: what sold nothing lately still has residuals of its own scale."""

Quantiles = Annotated[tuple[float, ...], msgspec.Meta(min_length=len(QUANTILES), max_length=len(QUANTILES))]
ByHorizon = Annotated[tuple[Quantiles, ...], msgspec.Meta(min_length=len(HORIZONS), max_length=len(HORIZONS))]


class Residuals(msgspec.Struct, frozen=True):
    """Quantiles of what was sold beyond the reference, in units of the scale: of a day, and by `HORIZONS`."""

    day: Quantiles
    totals: ByHorizon


class Calibration(msgspec.Struct, frozen=True):
    """What the weeks after the fit taught.

    `factor` makes the reference a mean: all that was sold, by all that was referred to. `groups` are the
    residuals by how much a SKU sells a week: group 0 below `borders[0]` pieces, and so on.
    """

    factor: Annotated[float, msgspec.Meta(gt=0)]
    borders: tuple[float, ...]
    groups: tuple[Residuals, ...]

    def __post_init__(self) -> None:
        if len(self.groups) != len(self.borders) + 1:
            raise ValueError(f"{len(self.borders)} borders have {len(self.groups)} groups between them")


@dataclass(frozen=True, slots=True)
class Reference:
    """What a SKU's figures are measured from: pieces a day, their scale, and pieces a week lately."""

    days: Floats
    scale: Floats
    level: float


def reference(point: Floats, week: float, known: DailySeries) -> Reference:
    """Between the points by day (`LONGEST_DAYS`) and what the week's model expects of the first week.

    The points leave bulk orders out, the week's model is fitted on all that was sold; half of each had the
    least pinball loss (docs/decisions/0044). The week's pieces fall on the days as the points do.
    """
    first = point[:HORIZON_DAYS]
    total = float(first.sum())
    shape = first / total if total > 0 else np.full(HORIZON_DAYS, 1 / HORIZON_DAYS)
    of_week = repeated_weeks(week * shape)
    recent = float(known.demand[-RECENT_DAYS:].sum()) / max(1, min(len(known), RECENT_DAYS))
    return Reference((of_week + point) / 2, (of_week + recent) / 2 + LEAST_SCALE, recent * HORIZON_DAYS)


def mean_of(found: Reference, calibration: Calibration) -> Floats:
    """The expected pieces of each day."""
    return found.days * calibration.factor


def day_quantiles(found: Reference, calibration: Calibration) -> Floats:
    """`[days, QUANTILES]` of each day alone."""
    residuals = np.array(_group(found, calibration).day)
    made: Floats = np.maximum(found.days[:, np.newaxis] + found.scale[:, np.newaxis] * residuals, 0.0)
    return made


def total_quantiles(found: Reference, calibration: Calibration) -> Floats:
    """`[days, QUANTILES]` of all days up to and with each; a longer horizon never has less."""
    measured = np.array(_group(found, calibration).totals)
    horizons = np.arange(1, LONGEST_DAYS + 1)
    residuals = np.column_stack([np.interp(horizons, HORIZONS, each) for each in measured.T])
    totals = found.days.cumsum()[:, np.newaxis] + found.scale.cumsum()[:, np.newaxis] * residuals
    made: Floats = np.maximum.accumulate(np.maximum(totals, 0.0))
    return made


def _group(found: Reference, calibration: Calibration) -> Residuals:
    return calibration.groups[int(np.searchsorted(calibration.borders, found.level, side="right"))]


def empirical_totals(demand: Floats) -> Floats:
    """`[days, QUANTILES]` of totals, out of all windows of that length in a SKU's own past.

    For SKUs that no model is fitted on. A past shorter than a window counts as one that is continued by its
    own mean. `demand` has a day.
    """
    summed = np.concatenate([[0.0], demand.cumsum()])
    rows = []
    for days in range(1, LONGEST_DAYS + 1):
        length = min(days, len(demand))
        windows = (summed[length:] - summed[:-length]) * (days / length)
        rows.append(np.quantile(windows, QUANTILES))
    made: Floats = np.maximum.accumulate(np.array(rows))
    return made
