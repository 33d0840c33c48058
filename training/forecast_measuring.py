"""What each part of the forecaster said of weeks that are over, and what that is worth."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from models.forecast import forecast_of
from models.forecast_fallback import MODELLED, Kind, kind_of, nothing, now_and_then
from models.forecast_parts import Blend, GlobalModel, Trees, joined_point
from models.forecast_prophet import prophet_mean
from models.forecast_totals import Calibration
from models.forecasting import HORIZON_DAYS, LONGEST_DAYS, QUANTILES, DailySeries, Floats, Forecast
from models.seasonal_naive import SeasonalNaive
from training.accuracy import (
    Truth,
    bias,
    coverage,
    covered,
    mase,
    pinball,
    scale_of,
    wape,
    weekly_wape,
)
from training.forecast_rows import ahead, later
from training.transactions import Places

Told = Callable[[int, int], None]
"""Called with how many fits of how many are done."""
_LEAST_DAYS = 14
"""With fewer days Prophet has nothing to go by."""


def fit(asked: tuple[DailySeries, date]) -> Floats:
    """Prophet's of one series and night, for `LONGEST_DAYS`; nothing if it has no answer."""
    known, night = asked
    mean = prophet_mean(known, night) if len(known) >= _LEAST_DAYS else None
    return np.zeros(LONGEST_DAYS) if mean is None else mean


FitAll = Callable[[Sequence[tuple[DailySeries, date]]], Iterable[Floats]]
"""Calls `fit` with each, in any process."""


def in_turn(asked: Sequence[tuple[DailySeries, date]]) -> Iterable[Floats]:
    """In this one. `FitAll`."""
    return map(fit, asked)


@dataclass(frozen=True, slots=True)
class Seen:
    """One SKU on one night. `later` is what was then sold, NaN on days that are not to be looked at."""

    known: DailySeries
    kind: Kind
    trees: Trees
    prophet: Floats
    later: Floats


@dataclass(frozen=True, slots=True)
class Measured:
    """By night and SKU what was said, and what was then sold; the arrays are as in `training.accuracy`."""

    truth: Truth
    seen: tuple[tuple[Seen, ...], ...]
    naive: Floats

    def all(self, said: Callable[[Seen], Floats]) -> Floats:
        """One value a day out of each."""
        return np.array([[said(each) for each in night] for night in self.seen])

    @property
    def trees(self) -> Floats:
        """XGBoost alone."""
        return self.all(lambda each: each.trees.point)

    @property
    def prophet(self) -> Floats:
        """Prophet alone."""
        return self.all(lambda each: each.prophet[:HORIZON_DAYS])

    def of_skus(self, names: Places) -> "Measured":
        """Some of the SKUs, by their places."""
        seen = tuple(tuple(night[place] for place in names) for night in self.seen)
        return Measured(self.truth.of_skus(names), seen, self.naive[:, names])


@dataclass(frozen=True, slots=True)
class Joined:
    """The forecaster's own of the first week; arrays as above, `total` is `[nights, SKUs, QUANTILES]`."""

    mean: Floats
    median: Floats
    low: Floats
    high: Floats
    total: Floats


def measured(
    trees: GlobalModel,
    series: Mapping[str, DailySeries],
    nights: Sequence[date],
    told: Told,
    fit_all: FitAll,
    until: date,
) -> Measured:
    """Every part's forecast of each SKU on each night, made of nothing later.

    What was sold from `until` on is not looked at.
    """
    seen: list[tuple[Seen, ...]] = []
    actual, naive = [], []
    for night in nights:
        known = {sku: each.before(night) for sku, each in series.items()}
        said = trees.predict(list(known.values()), night)
        row: list[Seen] = []
        fits = fit_all([(each, night) for each in known.values()])
        for sku, of_trees, of_prophet in zip(known, said, fits, strict=True):
            sold = later(series[sku], night, until)
            row.append(Seen(known[sku], kind_of(known[sku]), of_trees, of_prophet, sold))
            told(len(seen) * len(series) + len(row), len(nights) * len(series))
        seen.append(tuple(row))
        actual.append([ahead(each, night) for each in series.values()])
        repeated = SeasonalNaive().forecast(known, night).values()
        naive.append([each.median[:HORIZON_DAYS] for each in repeated])
    scale = [[scale_of(each.known.demand) for each in row] for row in seen]
    return Measured(Truth(np.array(actual), np.array(scale)), tuple(seen), np.array(naive))


def points(found: Measured, blend: Blend) -> Floats:
    """The forecaster's points of the first week with this blend."""
    return np.array([[_point(each, blend)[:HORIZON_DAYS] for each in night] for night in found.seen])


def joined(found: Measured, blend: Blend, calibration: Calibration) -> Joined:
    """What the forecaster says with this blend and calibration."""
    made = [[_joined(each, blend, calibration) for each in night] for night in found.seen]

    def days(name: str) -> Floats:
        return np.array([[getattr(each, name)[:HORIZON_DAYS] for each in night] for night in made])

    total = np.array([[each.totals[HORIZON_DAYS - 1] for each in night] for night in made])
    return Joined(days("mean"), days("median"), days("low"), days("high"), total)


def metrics(found: Measured, own: Joined) -> dict[str, float]:
    """The forecaster's, and beside them those that it has to beat. Errors of days are the median's."""
    said = {"": own.median, "xgboost_": found.trees, "prophet_": found.prophet, "naive_": found.naive}
    figures = {
        f"{prefix}{name}": figure(found.truth, median)
        for prefix, median in said.items()
        for name, figure in (("wape", wape), ("mase", mase), ("weekly_wape", weekly_wape))
    }
    return {
        **figures,
        **total_metrics(found.truth, own.total),
        "bias": bias(found.truth, own.mean),
        "coverage": coverage(found.truth, own.low, own.high),
    }


def total_metrics(truth: Truth, total: Floats) -> dict[str, float]:
    """Pinball loss and coverage of the week's total at each quantile: `pinball_80`, `covered_80`."""
    return {
        f"{name}_{level * 100:.0f}": figure(truth, total[..., place], level)
        for place, level in enumerate(QUANTILES)
        for name, figure in (("pinball", pinball), ("covered", covered))
    }


def _point(seen: Seen, blend: Blend) -> Floats:
    if seen.kind in MODELLED:
        return joined_point(seen.trees, seen.prophet if seen.kind == "regular" else None, blend)
    return (now_and_then(seen.known) if seen.kind == "intermittent" else nothing()).median


def _joined(seen: Seen, blend: Blend, calibration: Calibration) -> Forecast:
    return forecast_of(seen.known, seen.kind, seen.trees, lambda _: seen.prophet, blend, calibration)
