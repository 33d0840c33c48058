"""From daily series to a saved demand forecaster."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
import xgboost

from events.errors import ConfigError, Problem
from models.artifact import Metadata
from models.forecast import BLEND, CALIBRATION, MODEL, NEEDS, POINT_TREES, RANGE_TREES, WEEK_TREES
from models.forecast_columns import COLUMNS, WEEK_COLUMNS
from models.forecast_parts import Blend, GlobalModel
from models.forecast_prophet import CHANGEPOINTS
from models.forecast_totals import Calibration
from models.forecasting import COVERAGE, DailySeries, Floats
from models.recipe import Column, DataSummary, Provenance, Recipe, Signature
from training.forecast_bench import ForecastBench
from training.forecast_calibrating import calibrate
from training.forecast_choosing import choose
from training.forecast_measuring import FitAll, Measured, in_turn, joined, measured, metrics
from training.forecast_rows import NIGHTS_APART, WARM_UP_DAYS, Fitting, fitting_rows
from training.forecast_split import Weeks
from training.saving import save

ROUNDS = 150
"""How many trees each model has."""
PARAMETERS: dict[str, str | int | float | bool] = {
    "max_depth": 5,
    "eta": 0.06,
    "subsample": 0.7,
    "colsample_bytree": 0.7,
    "min_child_weight": 20,
    "tree_method": "hist",
    "seed": 7,
    # the same trees on every machine
    "nthread": 1,
}
_MEAN: dict[str, str | float] = {"objective": "reg:tweedie", "tweedie_variance_power": 1.3}
_WEEK = {**_MEAN, "max_depth": 4}
_RANGE = {"objective": "reg:quantileerror", "quantile_alpha": [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2]}


RANGE_NIGHTS_APART = 3 * NIGHTS_APART
"""Quantiles take ten times as long to fit as a mean: each leaf sorts its rows."""
BLEND_SKUS = 100
"""Two numbers are chosen: more would take time and change neither."""


class Progress(Protocol):
    """A progress display."""

    def say(self, message: str) -> None:
        """A step begins, or has given something."""

    def tree(self, grown: int, of: int) -> None:
        """This many trees, or fits, are done."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A saved version, and what another one can be measured on in the same way."""

    path: Path
    metadata: Metadata
    bench: ForecastBench
    blend: Blend
    calibration: Calibration
    calibrated_on: Measured
    """The weeks that the parts were joined on."""
    measured: Measured
    """The test weeks, part by part."""


def train(
    series: Mapping[str, DailySeries],
    weeks: Weeks,
    skus: int,
    model_dir: Path,
    provenance: Provenance,
    progress: Progress,
    fit_all: FitAll = in_turn,
) -> Trained:
    """Fit, blend, calibrate, measure and save; nothing from the weeks' end on is looked at.

    Measured on the `skus` that sold best before the first test night, calibrated on those that did before the
    first blend night, and blended on some of these. The same series give the same digest. Raises
    `ConfigError` if they are too short.
    """
    known = {sku: each.before(weeks.end) for sku, each in sorted(series.items())}
    _check(known, weeks)
    rows = fitting_rows(known, weeks.fit_end)
    progress.say(f"fit on {len(rows.raw):,} rows of {len(known):,} SKUs before {weeks.fit_end}")
    boosters = _fit_all(rows, fitting_rows(known, weeks.fit_end, RANGE_NIGHTS_APART), progress)
    trees = GlobalModel(*boosters.values())
    # each chosen by what was known before its own weeks: who sells in them would be no fair draw of who will
    earlier = best_selling(known, weeks.blend_nights[0], skus)
    best = best_selling(known, weeks.test_nights[0], skus)
    progress.say(f"blend and calibrate on {weeks.blend} weeks of {len(earlier)} SKUs")
    later = measured(trees, earlier, weeks.blend_nights, progress.tree, fit_all, weeks.test_nights[0])
    blend = choose(later.of_skus(np.arange(0, len(earlier), -(-len(earlier) // BLEND_SKUS))))
    calibration = calibrate(later, blend)
    progress.say(f"measure on {weeks.test} weeks of {len(best)} SKUs")
    tested = measured(trees, best, weeks.test_nights, progress.tree, fit_all, weeks.end)
    found = metrics(tested, joined(tested, blend, calibration))
    files = {
        **{name: bytes(booster.save_raw()) for name, booster in boosters.items()},
        BLEND: msgspec.json.encode(blend),
        CALIBRATION: msgspec.json.encode(calibration),
    }
    recipe = _recipe(_summary(known, weeks, rows, (len(earlier), len(best))), found, blend, calibration)
    path, metadata = save(model_dir, files, recipe, provenance)
    bench = ForecastBench(best, weeks.test_nights)
    return Trained(path, metadata, bench, blend, calibration, later, tested)


def best_selling(series: Mapping[str, DailySeries], night: date, skus: int) -> dict[str, DailySeries]:
    """The SKUs that sold best by what was known at this night, by their names."""
    sold = {sku: each.before(night).demand.sum() for sku, each in series.items()}
    best = sorted(sold, key=lambda sku: (-sold[sku], sku))[:skus]
    return {sku: series[sku] for sku in sorted(best)}


def _check(known: Mapping[str, DailySeries], weeks: Weeks) -> None:
    sold = [each.first for each in known.values() if each.before(weeks.fit_end).demand.any()]
    needed = weeks.fit_end - timedelta(days=2 * WARM_UP_DAYS)
    if not sold or min(sold) > needed:
        found = f"the first sale is of {min(sold)}" if sold else "nothing was sold"
        problem = (
            f"{found}; training up to {weeks.end} needs sales since {needed}: `signalbox features backfill`"
        )
        raise ConfigError([Problem("offline feature store", 0, "sku_demand", problem)])


def _fit_all(rows: Fitting, some: Fitting, progress: Progress) -> dict[str, xgboost.Booster]:
    """By file, in the order in which `GlobalModel` takes them; `some` of the rows are for the bounds."""
    return {
        POINT_TREES: _fit(rows.matrix, rows.capped, rows.level, _MEAN, progress),
        RANGE_TREES: _fit(some.matrix, some.raw, some.level, _RANGE, progress),
        WEEK_TREES: _fit(rows.weeks, rows.totals, rows.week_level, _WEEK, progress, WEEK_COLUMNS),
    }


def _fit(
    matrix: Floats,
    target: Floats,
    weight: Floats,
    objective: Mapping[str, object],
    progress: Progress,
    columns: Sequence[str] = COLUMNS,
) -> xgboost.Booster:
    class Grown(xgboost.callback.TrainingCallback):
        def after_iteration(self, model: object, epoch: int, evals_log: object) -> bool:  # noqa: ARG002  # its contract
            progress.tree(epoch + 1, ROUNDS)
            return False

    # errors count in pieces: a SKU that sells ten times as much weighs ten times as much
    data = xgboost.QuantileDMatrix(matrix, target, weight=weight, feature_names=list(columns), nthread=1)
    return xgboost.train({**PARAMETERS, **objective}, data, ROUNDS, callbacks=[Grown()])


def _recipe(data: DataSummary, found: dict[str, float], blend: Blend, calibration: Calibration) -> Recipe:
    described = {
        "prophet_weight": blend.prophet,
        "stretch": blend.stretch,
        "mean_factor": calibration.factor,
        "prophet_changepoints": CHANGEPOINTS,
        "trees": ROUNDS,
    }
    return Recipe(
        model=MODEL,
        data=data,
        parameters={**described, **PARAMETERS, **_MEAN},
        metrics=found,
        payload=NEEDS.payload,
        needs=NEEDS.needs,
        feature_hash=NEEDS.hash,
        signature=Signature(
            inputs=tuple(Column(name) for name in COLUMNS),
            outputs=tuple(Column(name) for name in ("mean", "median", "low", "high", "total")),
        ),
    )


def _summary(
    known: Mapping[str, DailySeries], weeks: Weeks, rows: Fitting, skus: tuple[int, int]
) -> DataSummary:
    blended, tested = skus
    first = min(each.first for each in known.values() if len(each))
    last = weeks.end - timedelta(days=1)
    blend, test = weeks.blend_nights[0], weeks.test_nights[0]
    return DataSummary(
        first=str(first),
        last=str(last),
        ranges={
            "train": f"{first} to {weeks.fit_end - timedelta(days=1)}",
            "blend": f"{blend} to {test - timedelta(days=1)}",
            "test": f"{test} to {last}",
        },
        rows={
            "train": len(rows.raw),
            "blend": blended * len(weeks.blend_nights),
            "test": tested * len(weeks.test_nights),
        },
        labels={"skus": len(known)},
        sha256=_digest(known),
    )


def _digest(known: Mapping[str, DailySeries]) -> str:
    sha = hashlib.sha256()
    for sku, each in known.items():
        sha.update(f"{sku} {each.first} {len(each)}\n".encode())
        sha.update(each.demand.astype("<f8").tobytes())
        sha.update(np.nan_to_num(each.price, nan=-1.0).astype("<f8").tobytes())
    return sha.hexdigest()
