"""What goes into a demand forecast, and what comes out? The types that every forecaster shares."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.workflow import ModelVersion

HORIZON_DAYS = 7
"""How many days a forecast is for: the night's own day is the first of them."""

COVERAGE = 0.8
"""How much of what comes is to lie between `low` and `high`."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DailySeries:
    """What was sold of one SKU on each day from `first` on, without gaps, in the store's time zone.

    `demand` is in pieces, 0 where nothing was sold; `price` is the mean price of that day's order lines, NaN
    where there were none. Both have one value a day. There is no day before the first that anything was sold
    on, unless the series was cut there.
    """

    first: date
    demand: Floats
    price: Floats

    def __len__(self) -> int:
        return len(self.demand)

    @property
    def end(self) -> date:
        """The day after the last one: the first day of a forecast that is made of all of this."""
        return self.first + timedelta(days=len(self.demand))

    def before(self, end: date) -> "DailySeries":
        """What was known at the midnight on which `end` begins."""
        days = max(0, (end - self.first).days)
        return DailySeries(self.first, self.demand[:days], self.price[:days])


@dataclass(frozen=True, slots=True)
class Forecast:
    """Pieces a day for `HORIZON_DAYS` days: 0 <= `low` <= `mean` <= `high`, arrays of that length.

    `COVERAGE` of what comes lies between `low` and `high`. `method` names what the forecast was made by.
    """

    mean: Floats
    low: Floats
    high: Floats
    method: str


class Forecaster(Protocol):
    """Forecasts a chunk of the catalogue in one call. Made in the process that forecasts, after the fork."""

    @property
    def version(self) -> ModelVersion:
        """What is stamped on each forecast."""

    def forecast(self, series: Mapping[str, DailySeries], night: date) -> Mapping[str, Forecast]:
        """By SKU, the demand of `HORIZON_DAYS` days from `night` on: one forecast for each series.

        Every series ends where `night` begins. The same series and night give the same forecast, whatever
        else is in the call. Raises nothing for a series that is short, empty or all zero.
        """
