"""What the global demand model is fitted on: a row for each SKU, night and day ahead, and for each week."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from events.errors import ConfigError, Problem
from models.forecast_columns import rows_of, usual_most, week_rows
from models.forecast_fallback import FEWEST_SALES, MODELLED, RECENT_DAYS, kind_of
from models.forecasting import HORIZON_DAYS, LONGEST_DAYS, DailySeries, Floats

NIGHTS_APART = 5
"""No multiple of a week: else each day ahead would always be the same weekday."""
WARM_UP_DAYS = 56
"""The first nights know too little of a past to learn from."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """Columns of equal length. Targets are in units of `level`, the SKU's own.

    `capped` is without what lies above a usual day's most, for the point; `raw` is all that was sold, for the
    bounds. `weeks` has one row for `HORIZON_DAYS` rows of `matrix`, and `totals` and `week_level` are its
    target and level.
    """

    matrix: Floats
    capped: Floats
    raw: Floats
    level: Floats
    weeks: Floats
    totals: Floats
    week_level: Floats


def fitting_rows(series: Mapping[str, DailySeries], end: date, apart: int = NIGHTS_APART) -> Fitting:
    """Of SKUs that were regular or new on a night; no week reaches beyond `end`. There is at least one.

    The nights are so many days `apart`. Raises `ConfigError` if no SKU was either on any of them.
    """
    first = min(each.first for each in series.values()) + timedelta(days=WARM_UP_DAYS)
    night = end - timedelta(days=HORIZON_DAYS)
    parts = []
    while night > first:
        known = [each for each in series.values() if kind_of(each.before(night)) in MODELLED]
        if known:
            parts.append(_of_night(known, night))
        night -= timedelta(days=apart)
    if not parts:
        problem = (
            f"none of {len(series):,} SKUs was sold often enough before {end} to learn from, on "
            f"{FEWEST_SALES} of {RECENT_DAYS} days: is all of the past there? `signalbox features backfill`"
        )
        raise ConfigError([Problem("offline feature store", 0, "sku_demand", problem)])
    return Fitting(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def ahead(series: DailySeries, night: date) -> Floats:
    """What was sold on the days that a forecast of this night is for: before the first sale, nothing."""
    known = series.before(night + timedelta(days=HORIZON_DAYS)).demand[-HORIZON_DAYS:]
    return np.concatenate([np.zeros(HORIZON_DAYS - len(known)), known])


def later(series: DailySeries, night: date, until: date) -> Floats:
    """What was sold on each of `LONGEST_DAYS` days from a night on; NaN from `until` on."""
    known = series.before(min(until, night + timedelta(days=LONGEST_DAYS)))
    sold = np.full(LONGEST_DAYS, np.nan)
    days = max(0, (known.end - night).days)
    found = known.demand[-days:] if days else known.demand[:0]
    sold[days - len(found) : days] = found
    # before its first sale a SKU sold nothing
    sold[: days - len(found)] = 0.0
    return sold


def _of_night(known: Sequence[DailySeries], night: date) -> tuple[Floats, ...]:
    rows = rows_of(known, night)
    sold = np.stack([ahead(each, night) for each in known])
    most = np.array([usual_most(each.before(night).demand) for each in known])
    level = rows.level[:, np.newaxis]
    capped, raw = np.minimum(sold, most[:, np.newaxis]) / level, sold / level
    return (
        *(rows.matrix, capped.ravel(), raw.ravel(), np.repeat(rows.level, HORIZON_DAYS)),
        *(week_rows(rows, known, night), raw.sum(axis=1), rows.level),
    )
