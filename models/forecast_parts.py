"""The parts of the forecaster, Prophet and the global XGBoost, and how the two become one forecast."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated

import msgspec
import numpy as np
from msgspec.structs import replace

from models.forecast_columns import rows_of, week_rows
from models.forecast_totals import (
    Calibration,
    Reference,
    day_quantiles,
    mean_of,
    reference,
    total_quantiles,
)
from models.forecasting import HORIZON_DAYS, DailySeries, Floats, Forecast, repeated_weeks

if TYPE_CHECKING:
    from xgboost import Booster

LEAST_END = 0.01
"""Pieces: an upper end of nothing could not be stretched."""
ENSEMBLE, TREES_ALONE = "ensemble", "xgboost"
PROPHET_IN_TOTALS = 0.3
"""Prophet's weight among the points that totals are referred to. Its points have a small absolute error and
add up to half of what is sold: as much of it as in the median made totals worse (docs/decisions/0044)."""


class Blend(msgspec.Struct, frozen=True):
    """Chosen on weeks that lie after those that the trees were fitted on.

    `prophet` is Prophet's weight in the point; `stretch` is by how much the upper quantile is multiplied, and
    the lower one divided, so that the interval holds what it should.
    """

    prophet: Annotated[float, msgspec.Meta(ge=0, le=1)]
    stretch: Annotated[float, msgspec.Meta(gt=0)]


@dataclass(frozen=True, slots=True)
class Trees:
    """What the global model says of one SKU, in pieces a day; `low` and `high` before they are stretched.

    `point` is without bulk orders. All three are of the first week; `week` is what is expected of all of it,
    bulk orders included.
    """

    point: Floats
    low: Floats
    high: Floats
    week: float


class GlobalModel:
    """Three XGBoost models: of days without bulk orders, of the bounds of days, and of whole weeks."""

    def __init__(self, point: "Booster", bounds: "Booster", week: "Booster") -> None:
        self._point = point
        self._bounds = bounds
        self._week = week
        for booster in (point, bounds, week):
            # a pool has a process for each core; more threads would wait for each other
            booster.set_param({"nthread": 1})

    def predict(self, series: Sequence[DailySeries], night: date) -> list[Trees]:
        """In one call, for each in its place."""
        if not series:
            return []
        rows = rows_of(series, night)
        # 1: the point; 2 and 3: its low and high end
        said = np.column_stack(
            [self._point.inplace_predict(rows.matrix), self._bounds.inplace_predict(rows.matrix)]
        ).astype(np.float64)
        pieces = said.reshape(len(series), HORIZON_DAYS, 3) * rows.level[:, np.newaxis, np.newaxis]
        weeks = self._week.inplace_predict(week_rows(rows, series, night)).astype(np.float64) * rows.level
        days, totals = np.maximum(pieces, 0.0), np.maximum(weeks, 0.0).tolist()
        return [
            Trees(each[:, 0], each[:, 1], each[:, 2], week) for each, week in zip(days, totals, strict=True)
        ]


def join(
    known: DailySeries, trees: Trees, prophet: Floats | None, blend: Blend, calibration: Calibration
) -> Forecast:
    """One SKU's forecast out of both; of the trees alone if Prophet has none."""
    point, method = joined_point(trees, prophet, blend), TREES_ALONE if prophet is None else ENSEMBLE
    found = reference_of(known, trees, prophet, blend)
    low, high = (repeated_weeks(end) for end in interval(trees, blend.stretch))
    quantiles = np.maximum(day_quantiles(found, calibration), point[:, np.newaxis])
    quantiles[:, 0] = point
    return Forecast(
        mean_of(found, calibration),
        point,
        np.minimum(low, point),
        np.maximum(high, point),
        quantiles,
        total_quantiles(found, calibration),
        method,
    )


def joined_point(trees: Trees, prophet: Floats | None, blend: Blend) -> Floats:
    """Pieces a day for `LONGEST_DAYS`, with a small absolute error; the trees repeat their first week."""
    of_trees = repeated_weeks(trees.point)
    if prophet is None:
        return of_trees
    point: Floats = blend.prophet * prophet + (1 - blend.prophet) * of_trees
    return point


def reference_of(known: DailySeries, trees: Trees, prophet: Floats | None, blend: Blend) -> Reference:
    """What `join` measures a SKU's mean and quantiles from."""
    weight = min(blend.prophet, PROPHET_IN_TOTALS)
    return reference(joined_point(trees, prophet, replace(blend, prophet=weight)), trees.week, known)


def interval(trees: Trees, stretch: float) -> tuple[Floats, Floats]:
    """Low and high end of each day of the first week, in pieces."""
    # whole pieces are sold: an end of 0.3 would leave out the day on which none is
    return np.floor(trees.low / stretch), stretch * np.maximum(trees.high, LEAST_END)
