"""From daily series to a saved demand forecaster."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
import xgboost

from events.errors import ConfigError, Problem
from models.artifact import Metadata
from models.forecast import BLEND, MEAN_TREES, MODEL, NEEDS, RANGE_TREES
from models.forecast_columns import COLUMNS
from models.forecast_parts import Blend, GlobalModel
from models.forecast_prophet import CHANGEPOINTS
from models.forecasting import COVERAGE, DailySeries, Floats
from models.recipe import Column, DataSummary, Provenance, Recipe, Signature
from training.forecast_bench import ForecastBench
from training.forecast_choosing import choose
from training.forecast_measuring import FitAll, Measured, in_turn, measured, metrics
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
_RANGE = {"objective": "reg:quantileerror", "quantile_alpha": [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2]}


RANGE_NIGHTS_APART = 3 * NIGHTS_APART
"""Quantiles take ten times as long to fit as a mean: each leaf sorts its rows."""
BLEND_SKUS = 100
"""Two numbers are chosen: more would take Prophet's time and change neither."""


class Progress(Protocol):
    """Whoever shows how far it is."""

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
    """Fit, blend, measure and save; nothing from the weeks' end on is looked at.

    Measured on the `skus` that sold best before the first test night, blended on some of those that did
    before the first blend night. The same series give the same digest. Raises `ConfigError` where they are
    too short.
    """
    known = {sku: each.before(weeks.end) for sku, each in sorted(series.items())}
    _check(known, weeks)
    rows = fitting_rows(known, weeks.fit_end)
    progress.say(f"fit on {len(rows.raw):,} rows of {len(known):,} SKUs before {weeks.fit_end}")
    mean = _fit(rows.matrix, rows.capped, rows.level, _MEAN, progress)
    some = fitting_rows(known, weeks.fit_end, RANGE_NIGHTS_APART)
    quantiles = _fit(some.matrix, some.raw, some.level, _RANGE, progress)
    trees = GlobalModel(mean, quantiles)
    # each chosen by what was known before its own weeks: who sells in them would be no fair draw of who will
    earlier = best_selling(known, weeks.blend_nights[0], skus)
    best = best_selling(known, weeks.test_nights[0], skus)
    among = dict(list(earlier.items())[:: -(-len(earlier) // BLEND_SKUS)])
    progress.say(f"blend on {weeks.blend} weeks of {len(among)} SKUs")
    blend = choose(measured(trees, among, weeks.blend_nights, progress.tree, fit_all))
    progress.say(f"measure on {weeks.test} weeks of {len(best)} SKUs")
    tested = measured(trees, best, weeks.test_nights, progress.tree, fit_all)
    found = metrics(tested, blend)
    files = {
        MEAN_TREES: bytes(mean.save_raw()),
        RANGE_TREES: bytes(quantiles.save_raw()),
        BLEND: msgspec.json.encode(blend),
    }
    recipe = _recipe(_summary(known, weeks, rows, (len(among), len(best))), found, blend)
    path, metadata = save(model_dir, files, recipe, provenance)
    return Trained(path, metadata, ForecastBench(best, weeks.test_nights), blend, tested)


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


def _fit(
    matrix: Floats, target: Floats, weight: Floats, objective: Mapping[str, object], progress: Progress
) -> xgboost.Booster:
    class Grown(xgboost.callback.TrainingCallback):
        def after_iteration(self, model: object, epoch: int, evals_log: object) -> bool:  # noqa: ARG002  # its contract
            progress.tree(epoch + 1, ROUNDS)
            return False

    # errors count in pieces: a SKU that sells ten times as much weighs ten times as much
    data = xgboost.QuantileDMatrix(matrix, target, weight=weight, feature_names=list(COLUMNS), nthread=1)
    return xgboost.train({**PARAMETERS, **objective}, data, ROUNDS, callbacks=[Grown()])


def _recipe(data: DataSummary, found: dict[str, float], blend: Blend) -> Recipe:
    described = {
        "prophet_weight": blend.prophet,
        "stretch": blend.stretch,
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
            outputs=tuple(Column(name) for name in ("mean", "low", "high")),
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
