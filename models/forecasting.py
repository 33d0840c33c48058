"""The types that every demand forecaster shares: what goes into a forecast, and what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from events.nightly import HORIZON_DAYS as HORIZON_DAYS
from events.nightly import LONGEST_DAYS as LONGEST_DAYS
from models.workflow import ModelVersion

COVERAGE = 0.8
"""How much of what comes is to lie between `low` and `high`."""

QUANTILES = (0.5, 0.8, 0.9, 0.95)
"""Of a horizon's total: a restock up to 0.9 runs out in one of ten horizons."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DailySeries:
    """What was sold of one SKU on each day from `first` on, without gaps, in the store's time zone.

    `demand` is in pieces, 0 if nothing was sold; `price` is the mean price of that day's order lines, NaN
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
    """Pieces on each of `LONGEST_DAYS` days; `mean`, `median`, `low` and `high` have that length.

    `mean` is the expected value: means add up. `median` is the point with the least absolute error, and does
    not add up. 0 <= `low` <= `median` <= `high`, and `COVERAGE` of what comes lies between the bounds; on
    days on which few large orders are all that is sold, the mean may lie above `high`.

    `quantiles` `[days, QUANTILES]` are of each day, `totals` of the same shape are of all days up to and with
    that one: `totals[6]` are those of the first week. `method` names what the forecast was made by.
    """

    mean: Floats
    median: Floats
    low: Floats
    high: Floats
    quantiles: Floats
    totals: Floats
    method: str


class Forecaster(Protocol):
    """Forecasts a chunk of the catalogue in one call. Made in the process that forecasts, after the fork."""

    @property
    def version(self) -> ModelVersion:
        """What is stamped on each forecast."""

    def forecast(self, series: Mapping[str, DailySeries], night: date) -> Mapping[str, Forecast]:
        """By SKU, the demand of `LONGEST_DAYS` days from `night` on: one forecast for each series.

        Every series ends where `night` begins. The same series and night give the same forecast, whatever
        else is in the call. Raises nothing for a series that is short, empty or all zero.
        """


def repeated_weeks(week: Floats) -> Floats:
    """A week's figures by day, for `LONGEST_DAYS` days: a later day is as that weekday of the first week."""
    weeks = -(-LONGEST_DAYS // len(week))
    longest: Floats = np.tile(week, weeks)[:LONGEST_DAYS]
    return longest
