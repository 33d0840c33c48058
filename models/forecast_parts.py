"""What do Prophet and the global XGBoost say, each alone, and how do the two become one forecast?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated

import msgspec
import numpy as np

from models.forecast_columns import rows_of
from models.forecasting import HORIZON_DAYS, DailySeries, Floats, Forecast

if TYPE_CHECKING:
    from xgboost import Booster

LEAST_END = 0.01
"""Pieces: an upper end of nothing could not be stretched."""
ENSEMBLE, TREES_ALONE = "ensemble", "xgboost"


class Blend(msgspec.Struct, frozen=True):
    """Chosen on weeks that lie after those that the trees were fitted on.

    `prophet` is Prophet's weight in the mean; `stretch` is by how much the upper quantile is multiplied, and
    the lower one divided, so that the interval holds what it should.
    """

    prophet: Annotated[float, msgspec.Meta(ge=0, le=1)]
    stretch: Annotated[float, msgspec.Meta(gt=0)]


@dataclass(frozen=True, slots=True)
class Trees:
    """What the global model says of one SKU, in pieces a day; `low` and `high` before they are stretched."""

    mean: Floats
    low: Floats
    high: Floats


class GlobalModel:
    """Two XGBoost models over the same rows: one of the mean without bulk orders, one of the quantiles."""

    def __init__(self, mean: "Booster", quantiles: "Booster") -> None:
        self._mean = mean
        self._quantiles = quantiles
        for booster in (mean, quantiles):
            # a pool has a process for each core; more threads would wait for each other
            booster.set_param({"nthread": 1})

    def predict(self, series: Sequence[DailySeries], night: date) -> list[Trees]:
        """In one call, for each in its place."""
        if not series:
            return []
        rows = rows_of(series, night)
        # 1: the mean; 2 and 3: its low and high end
        said = np.column_stack(
            [self._mean.inplace_predict(rows.matrix), self._quantiles.inplace_predict(rows.matrix)]
        ).astype(np.float64)
        pieces = said.reshape(len(series), HORIZON_DAYS, 3) * rows.level[:, np.newaxis, np.newaxis]
        return [Trees(*each.T) for each in np.maximum(pieces, 0.0)]


def join(trees: Trees, prophet: Floats | None, blend: Blend) -> Forecast:
    """One SKU's forecast out of both; of the trees alone where there is no other."""
    mean, method = trees.mean, TREES_ALONE
    if prophet is not None:
        mean, method = blend.prophet * prophet + (1 - blend.prophet) * mean, ENSEMBLE
    low, high = interval(trees, blend.stretch)
    return Forecast(mean, np.minimum(low, mean), np.maximum(high, mean), method)


def interval(trees: Trees, stretch: float) -> tuple[Floats, Floats]:
    """Low and high end, in pieces."""
    # whole pieces are sold: an end of 0.3 would leave out the day on which none is
    return np.floor(trees.low / stretch), stretch * np.maximum(trees.high, LEAST_END)
