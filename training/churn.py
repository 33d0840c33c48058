"""From the offline store to a churn model: trees, calibrated on later weeks, measured on those after them."""

from dataclasses import dataclass
from pathlib import Path

import lightgbm
import msgspec
import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from events.errors import ConfigError, Problem
from features.offline.reader import OfflineReader
from models.artifact import Metadata
from models.calibration import CALIBRATION, Calibration
from models.churn import MODEL
from models.churn_features import NEEDS, RECENCY
from models.recipe import Column, DataSummary, Provenance, Recipe, Signature
from models.trees import TREES
from training.churn_bench import ChurnBench
from training.churn_dataset import DAY_MS, Examples, Floats, Split, day, examples
from training.churn_evaluation import evaluate
from training.fraud import Progress
from training.saving import save

ROUNDS = 100
"""How many trees are grown."""
# chosen on moments of the retailer's data whose horizon ended before the first that the benchmark measures on
PARAMETERS: dict[str, str | int | float | bool] = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 8,
    "min_data_in_leaf": 100,
    "lambda_l2": 10.0,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "feature_fraction": 0.7,
    "seed": 7,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
# the optimiser's last digits are not the same on every machine
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Fitted:
    """Trees and what their score means."""

    booster: lightgbm.Booster
    calibration: Calibration

    def probabilities(self, matrix: Floats) -> Floats:
        """As the version will answer."""
        return self.calibration.probabilities(_scores(self.booster, matrix))

    def files(self) -> dict[str, bytes]:
        """What a version of it is made of."""
        told = msgspec.json.format(msgspec.json.encode(self.calibration), indent=2)
        return {TREES: self.booster.model_to_string().encode(), CALIBRATION: told + b"\n"}


@dataclass(frozen=True, slots=True)
class Trained:
    """A saved version, and what another one can be measured on in the same way."""

    path: Path
    metadata: Metadata
    bench: ChurnBench


def train(
    store: OfflineReader,
    tenant_id: str,
    split: Split,
    model_dir: Path,
    provenance: Provenance,
    progress: Progress,
) -> Trained:
    """Fit, calibrate, measure and save; nothing after the split is looked at.

    The same orders and split give the same digest. Raises `ConfigError` where the store holds too little for
    the split, and `Unavailable`.
    """
    progress.say("features and labels as the store knew them at each moment")
    found = examples(store, tenant_id, split)
    fitted = fit(found, split, progress)
    metrics = measure(fitted, found, split, progress)
    path, metadata = save(model_dir, fitted.files(), recipe(found, split, metrics), provenance)
    return Trained(path, metadata, ChurnBench(store, tenant_id, found.of(split.test), split.horizon_days))


def fit(found: Examples, split: Split, progress: Progress) -> Fitted:
    """Trees on the moments to fit on, Platt's line on the later ones.

    Raises `ConfigError` where the later ones say the contrary of what was learned.
    """
    learned, later = found.of(split.train), found.of(split.calibration)
    progress.say(_told("fit on", learned, split.train))

    def grown(env: lightgbm.callback.CallbackEnv) -> None:
        progress.tree(env.iteration + 1, ROUNDS)

    data = lightgbm.Dataset(learned.matrix, learned.stayed_away, feature_name=list(NEEDS.names))
    booster = lightgbm.train(dict(PARAMETERS), data, num_boost_round=ROUNDS, callbacks=[grown])
    progress.say(_told("calibrate on", later, split.calibration))
    # hardly regularised: two numbers from thousands of rows
    line = LogisticRegression(C=1e6).fit(_scores(booster, later.matrix)[:, None], later.stayed_away)
    slope, intercept = round(float(line.coef_[0, 0]), _DIGITS), round(float(line.intercept_[0]), _DIGITS)
    if slope <= 0:
        message = f"{day(split.calibration[0])} and later say the contrary of what was learned before"
        raise ConfigError([Problem("offline feature store", 0, "", f"{message}: slope {slope}")])
    base_rate = round(float(later.stayed_away.mean()), _DIGITS)
    return Fitted(
        booster,
        Calibration(slope=slope, intercept=intercept, base_rate=base_rate, horizon_days=split.horizon_days),
    )


def recency_alone(found: Examples, split: Split, matrix: Floats) -> Floats:
    """The best that the days since the last order can say: their isotonic regression, on the same data."""
    known = found.of((*split.train, *split.calibration))
    column = NEEDS.names.index(RECENCY)
    fitted = IsotonicRegression(out_of_bounds="clip").fit(known.matrix[:, column], known.stayed_away)
    return np.asarray(fitted.predict(matrix[:, column]))


def measure(fitted: Fitted, found: Examples, split: Split, progress: Progress) -> dict[str, float]:
    """On the moments to measure on; beside it what recency alone would have got."""
    tested = found.of(split.test)
    progress.say(_told("measure on", tested, split.test))
    alone = evaluate(tested.stayed_away, recency_alone(found, split, tested.matrix))
    ours = evaluate(tested.stayed_away, fitted.probabilities(tested.matrix))
    return ours | {f"recency_alone_{name}": value for name, value in alone.items()}


def recipe(found: Examples, split: Split, metrics: dict[str, float]) -> Recipe:
    """All that decides what the version answers, besides its files."""
    return Recipe(
        model=MODEL,
        data=_summary(found, split),
        parameters={"trees": ROUNDS, "horizon_days": split.horizon_days, **PARAMETERS},
        metrics=metrics,
        payload=NEEDS.payload,
        needs=NEEDS.needs,
        feature_hash=NEEDS.hash,
        signature=Signature(
            inputs=tuple(Column(name) for name in NEEDS.names), outputs=(Column("probability"),)
        ),
    )


def _summary(found: Examples, split: Split) -> DataSummary:
    parts = {name: (moments, found.of(moments)) for name, moments in split.parts.items()}
    return DataSummary(
        first=day(split.train[0]),
        last=day(split.test[-1] + split.horizon_days * DAY_MS - 1),
        ranges={name: f"{day(moments[0])} to {day(moments[-1])}" for name, (moments, _) in parts.items()},
        rows={name: len(rows.at) for name, (_, rows) in parts.items()},
        labels={f"{name}.stayed_away": int(rows.stayed_away.sum()) for name, (_, rows) in parts.items()},
        sha256=found.digest(),
    )


def _scores(booster: lightgbm.Booster, matrix: Floats) -> Floats:
    return np.asarray(booster.predict(matrix, raw_score=True, num_threads=1))


def _told(what: str, rows: Examples, moments: tuple[int, ...]) -> str:
    away = int(rows.stayed_away.sum())
    return f"{what} {len(rows.at):,} of {day(moments[0])} to {day(moments[-1])}, {away:,} of whom stayed away"
