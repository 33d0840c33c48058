"""What did each part of the forecaster say of weeks that are over, and what is that worth?"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from models.forecast import forecast_of
from models.forecast_fallback import Kind, kind_of
from models.forecast_parts import Blend, GlobalModel, Trees
from models.forecast_prophet import prophet_mean
from models.forecasting import HORIZON_DAYS, DailySeries, Floats, Forecast
from models.seasonal_naive import SeasonalNaive
from training.accuracy import Truth, bias, coverage, mase, scale_of, wape, weekly_wape
from training.forecast_rows import ahead

Told = Callable[[int, int], None]
"""Told how many fits of how many are done."""
_LEAST_DAYS = 14
"""With fewer days Prophet has nothing to go by."""


def fit(asked: tuple[DailySeries, date]) -> Floats:
    """Prophet's of one series and night; nothing where it has no answer."""
    known, night = asked
    mean = prophet_mean(known, night) if len(known) >= _LEAST_DAYS else None
    return np.zeros(HORIZON_DAYS) if mean is None else mean


FitAll = Callable[[Sequence[tuple[DailySeries, date]]], Iterable[Floats]]
"""Calls `fit` with each, in any process."""


def in_turn(asked: Sequence[tuple[DailySeries, date]]) -> Iterable[Floats]:
    """In this one. `FitAll`."""
    return map(fit, asked)


@dataclass(frozen=True, slots=True)
class Seen:
    """One SKU on one night."""

    known: DailySeries
    kind: Kind
    trees: Trees
    prophet: Floats


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
        return self.all(lambda each: each.trees.mean)

    @property
    def prophet(self) -> Floats:
        """Prophet alone."""
        return self.all(lambda each: each.prophet)


@dataclass(frozen=True, slots=True)
class Joined:
    """The forecaster's own; arrays as above."""

    mean: Floats
    low: Floats
    high: Floats


def measured(
    trees: GlobalModel,
    series: Mapping[str, DailySeries],
    nights: Sequence[date],
    told: Told,
    fit_all: FitAll = in_turn,
) -> Measured:
    """Every part's forecast of each SKU on each night, made of nothing later."""
    seen: list[tuple[Seen, ...]] = []
    actual, naive = [], []
    for night in nights:
        known = {sku: each.before(night) for sku, each in series.items()}
        said = trees.predict(list(known.values()), night)
        row: list[Seen] = []
        fits = fit_all([(each, night) for each in known.values()])
        for each, of_trees, of_prophet in zip(known.values(), said, fits, strict=True):
            row.append(Seen(each, kind_of(each), of_trees, of_prophet))
            told(len(seen) * len(series) + len(row), len(nights) * len(series))
        seen.append(tuple(row))
        actual.append([ahead(each, night) for each in series.values()])
        naive.append([each.mean for each in SeasonalNaive().forecast(known, night).values()])
    scale = [[scale_of(each.known.demand) for each in row] for row in seen]
    return Measured(Truth(np.array(actual), np.array(scale)), tuple(seen), np.array(naive))


def joined(found: Measured, blend: Blend) -> Joined:
    """What the forecaster says with this blend."""
    made = [[_joined(each, blend) for each in night] for night in found.seen]
    return Joined(
        *(
            np.array([[getattr(each, name) for each in night] for night in made])
            for name in ("mean", "low", "high")
        )
    )


def metrics(found: Measured, blend: Blend) -> dict[str, float]:
    """The forecaster's, and beside them those that it has to beat."""
    own = joined(found, blend)
    said = {"": own.mean, "xgboost_": found.trees, "prophet_": found.prophet, "naive_": found.naive}
    figures = {
        f"{prefix}{name}": figure(found.truth, mean)
        for prefix, mean in said.items()
        for name, figure in (("wape", wape), ("mase", mase), ("weekly_wape", weekly_wape), ("bias", bias))
    }
    return {**figures, "coverage": coverage(found.truth, own.low, own.high)}


def _joined(seen: Seen, blend: Blend) -> Forecast:
    return forecast_of(seen.known, seen.kind, seen.trees, lambda _: seen.prophet, blend)
