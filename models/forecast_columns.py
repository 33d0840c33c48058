"""The columns of the global demand model: a row for each SKU and day ahead, out of the SKU's own past."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from models.forecasting import HORIZON_DAYS, DailySeries, Floats

WINDOW_DAYS = 182
"""How far back a row looks."""
LIMIT_QUANTILE = 0.9
_FEWEST_SALES = 5
_WEEK = 7
_BASE_DAYS = 56
_PRICE_DAYS = 84
_MEAN_DAYS = (3, 7, 14, 28, 112)
_SHARE_DAYS = (14, 56)
_WEEKS_AGO = (1, 2, 3, 4)
_SAME_WEEKDAYS = 8
_RAW_DAYS = (28, 56, 112)

COLUMNS = (
    *(f"mean_{days}d" for days in _MEAN_DAYS),
    *(f"share_of_days_with_sales_{days}d" for days in _SHARE_DAYS),
    "median_56d",
    "deviation_56d",
    "days_since_sale",
    "age_days",
    "log_level",
    "price_now_to_mean",
    "log_price",
    *(f"same_weekday_{weeks}w" for weeks in _WEEKS_AGO),
    "same_weekday_mean",
    "same_weekday_median",
    "same_weekday_share",
    "days_ahead",
    "weekday",
    "day_of_month",
)
"""In the order of the matrix. Demand is in units of the SKU's own level, so that one model fits all."""

_OF_DAYS = 3
_OF_WEEKDAYS = len(_WEEKS_AGO) + 3
_SHARED = len(COLUMNS) - _OF_WEEKDAYS - _OF_DAYS
WEEK_COLUMNS = (
    *COLUMNS[:_SHARED],
    *(f"mean_of_{name}" for name in COLUMNS[_SHARED:-_OF_DAYS]),
    *(f"uncapped_mean_{days}d" for days in _RAW_DAYS),
)
"""Of the model of whole weeks: one row for each SKU."""


@dataclass(frozen=True, slots=True)
class Rows:
    """`matrix` has `HORIZON_DAYS` rows for each series, one series after the other; `level` has one value."""

    matrix: Floats
    level: Floats


def usual_most(demand: Floats) -> float:
    """Above this, a day's sales count as bulk orders, which no past foretells: the ninth decile of days.

    Of days on which anything was sold; with a handful of them, the largest.
    """
    sold = demand[demand > 0]
    if len(sold) < _FEWEST_SALES:
        return float(sold.max(initial=0.0))
    # np.quantile takes twenty times as long, and this is asked for each row that a model is fitted on
    place = int(LIMIT_QUANTILE * (len(sold) - 1))
    return float(np.partition(sold, place)[place])


def rows_of(series: Sequence[DailySeries], night: date) -> Rows:
    """The rows as of a night: nothing from `night` on is looked at. An unknown price is NaN."""
    known = [each.before(night) for each in series]
    demand = np.stack([np.minimum(each, usual_most(each)) for each in _windows(known)])
    price = np.stack([_filled(_right_aligned(each.price, np.nan)) for each in known])
    age = np.array([max(1, len(each)) for each in known])
    level = (demand[:, -_BASE_DAYS:].sum(axis=1) + 0.5) / (np.minimum(age, _BASE_DAYS) + 1)
    relative = demand / level[:, np.newaxis]
    shared = _shared(relative, price, age, level)
    days = [_of_day(relative, shared, night, ahead) for ahead in range(HORIZON_DAYS)]
    return Rows(np.stack(days, axis=1).reshape(-1, len(COLUMNS)), level)


def week_rows(rows: Rows, series: Sequence[DailySeries], night: date) -> Floats:
    """One row for each series out of its days' rows, and what was sold in all, bulk orders included."""
    days = rows.matrix.reshape(len(series), HORIZON_DAYS, len(COLUMNS))
    demand = np.stack([_right_aligned(each.before(night).demand, 0.0) for each in series])
    raw = [demand[:, -days:].sum(axis=1) / days / rows.level for days in _RAW_DAYS]
    return np.column_stack([days[:, 0, :_SHARED], days[:, :, _SHARED:-_OF_DAYS].mean(axis=1), *raw])


def _windows(known: Sequence[DailySeries]) -> list[Floats]:
    return [_right_aligned(each.demand, 0.0) for each in known]


def _right_aligned(values: Floats, before: float) -> Floats:
    window = np.full(WINDOW_DAYS, before)
    recent = values[-WINDOW_DAYS:]
    window[WINDOW_DAYS - len(recent) :] = recent
    return window


def _filled(price: Floats) -> Floats:
    """A day without a sale has the price of the one before."""
    last = np.maximum.accumulate(np.where(np.isnan(price), 0, np.arange(len(price))))
    filled: Floats = price[last]
    return filled


def _shared(relative: Floats, price: Floats, age: Floats, level: Floats) -> Floats:
    """What is the same for all days ahead."""
    sold = relative > 0
    recent = relative[:, -_BASE_DAYS:]
    since = np.where(sold.any(axis=1), np.argmax(sold[:, ::-1], axis=1), WINDOW_DAYS)
    now, usual = price[:, -1], _mean_price(price[:, -_PRICE_DAYS:])
    return np.column_stack(
        [
            *(relative[:, -days:].sum(axis=1) / np.minimum(age, days) for days in _MEAN_DAYS),
            *(sold[:, -days:].sum(axis=1) / np.minimum(age, days) for days in _SHARE_DAYS),
            np.median(recent, axis=1),
            recent.std(axis=1),
            since,
            np.minimum(age, WINDOW_DAYS),
            np.log(level),
            now / usual,
            np.log(np.maximum(now, 0.01)),
        ]
    )


def _mean_price(price: Floats) -> Floats:
    known = ~np.isnan(price)
    total = np.where(known, price, 0.0).sum(axis=1)
    mean: Floats = np.maximum(total, 0.01) / np.maximum(known.sum(axis=1), 1)
    return mean


def _of_day(relative: Floats, shared: Floats, night: date, ahead: int) -> Floats:
    ago = WINDOW_DAYS + ahead - _WEEK * np.arange(1, _SAME_WEEKDAYS + 1)
    same = relative[:, ago]
    day = night + timedelta(days=ahead)
    own = np.column_stack(
        [
            same[:, : len(_WEEKS_AGO)],
            same.mean(axis=1),
            np.median(same, axis=1),
            (same > 0).mean(axis=1),
        ]
    )
    calendar = np.tile([float(ahead), float(day.weekday()), float(day.day)], (len(relative), 1))
    return np.hstack([shared, own, calendar])
