"""From transactions, and the features that were known of each, to a saved fraud model."""

import platform
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import lightgbm
import numpy as np

from models.artifact import DataSummary, Metadata, Recipe
from models.fraud import MODEL
from models.fraud_features import FEATURE_HASH, FEATURES
from training.dataset import Split, check_labels, check_reach, matrix, measured_places, within
from training.evaluation import evaluate
from training.saving import save
from training.stored import Floats, Stored
from training.transactions import Ints, Places, Transactions

TREES = 200
# the rate and the sampling did best on four weeks before the handbook's test week
PARAMETERS: dict[str, str | int | float | bool] = {
    "objective": "binary",
    "learning_rate": 0.02,
    "num_leaves": 31,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "feature_fraction": 0.7,
    "seed": 7,
    # the same trees on every machine; and where others have work for the cores too, OpenMP's threads wait for
    # each other busily: 268,000 orders took 4 to 10 s on one thread, 28 to 81 s on two
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


class Progress(Protocol):
    """Whoever shows how far it is."""

    def say(self, message: str) -> None:
        """A step begins, or has given something."""

    def tree(self, grown: int, of: int) -> None:
        """This many trees are grown."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A saved version."""

    path: Path
    metadata: Metadata


def train(
    transactions: Transactions,
    split: Split,
    source: str,
    stored: Stored,
    model_dir: Path,
    now: datetime,
    progress: Progress,
) -> Trained:
    """Fit, measure and save; nothing after the split is looked at.

    The same transactions, features and split give the same digest. Raises `ConfigError` where `source` holds
    too little for the split, and what `stored` raises.
    """
    until = split.test.last + timedelta(days=1)
    check_reach(split, transactions, source)
    known = transactions.before(until)
    progress.say(f"{len(known):,} transactions before {until}; features as the store knew them at each")
    fitted, tested = within(split.train, known), measured_places(split, known)
    check_labels(split.train, known.fraud[fitted], source)
    check_labels(split.test, known.fraud[tested], source)
    progress.say(f"fit on {len(fitted):,} of {split.train}, {int(known.fraud[fitted].sum()):,} of them fraud")
    booster = _fit(matrix(known, fitted, stored), known.fraud[fitted], progress)
    progress.say(f"measure on {len(tested):,} of {split.test}, without customers known to be compromised")
    scores = np.asarray(booster.predict(matrix(known, tested, stored), num_threads=1))
    metrics = evaluate(known.days[tested], known.customers.codes[tested], known.fraud[tested], scores)
    path, metadata = save(
        model_dir,
        booster.model_to_string(),
        _recipe(_summary(known, split, fitted, tested), metrics),
        now.isoformat(timespec="seconds"),
        _libraries(),
    )
    return Trained(path, metadata)


def _fit(rows: Floats, labels: Ints, progress: Progress) -> lightgbm.Booster:
    def grown(env: lightgbm.callback.CallbackEnv) -> None:
        progress.tree(env.iteration + 1, TREES)

    data = lightgbm.Dataset(rows, labels, feature_name=list(FEATURES))
    return lightgbm.train(dict(PARAMETERS), data, num_boost_round=TREES, callbacks=[grown])


def _recipe(data: DataSummary, metrics: dict[str, float]) -> Recipe:
    return Recipe(
        model=MODEL,
        data=data,
        parameters={"trees": TREES, **PARAMETERS},
        metrics=metrics,
        feature_names=FEATURES,
        feature_hash=FEATURE_HASH,
    )


def _summary(known: Transactions, split: Split, fitted: Places, tested: Places) -> DataSummary:
    return DataSummary(
        train_first=str(split.train.first),
        train_last=str(split.train.last),
        train_rows=len(fitted),
        train_fraud=int(known.fraud[fitted].sum()),
        test_first=str(split.test.first),
        test_last=str(split.test.last),
        test_rows=len(tested),
        test_fraud=int(known.fraud[tested].sum()),
        sha256=known.digest(),
    )


def _libraries() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "lightgbm": lightgbm.__version__,
        "numpy": np.__version__,
    }
