"""From transactions, and the features that were known of each, to a saved fraud model."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import lightgbm
import numpy as np

from models.artifact import Metadata
from models.fraud import MODEL
from models.fraud_features import NEEDS
from models.recipe import Column, DataSummary, Provenance, Recipe, Signature
from models.trees import TREES
from training.dataset import Split, check_labels, check_reach, matrix, measured_places, within
from training.evaluation import evaluate
from training.fraud_bench import FraudBench
from training.saving import save
from training.stored import Floats, Stored
from training.transactions import Ints, Places, Transactions

ROUNDS = 200
"""How many trees are grown."""
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
    """A progress display."""

    def say(self, message: str) -> None:
        """A step begins, or has given something."""

    def tree(self, grown: int, of: int) -> None:
        """This many trees are grown."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A saved version, and what another one can be measured on in the same way."""

    path: Path
    metadata: Metadata
    bench: FraudBench


def train(
    transactions: Transactions,
    split: Split,
    source: str,
    stored: Stored,
    model_dir: Path,
    provenance: Provenance,
    progress: Progress,
) -> Trained:
    """Fit, measure and save; nothing after the split is looked at.

    The same transactions, features and split give the same digest. Raises `ConfigError` if `source` holds
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
    booster = _fit(matrix(NEEDS, known, fitted, stored), known.fraud[fitted], progress)
    progress.say(f"measure on {len(tested):,} of {split.test}, without customers known to be compromised")
    scores = np.asarray(booster.predict(matrix(NEEDS, known, tested, stored), num_threads=1))
    metrics = evaluate(known.days[tested], known.customers.codes[tested], known.fraud[tested], scores)
    recipe = _recipe(_summary(known, split, fitted, tested), metrics)
    path, metadata = save(model_dir, {TREES: booster.model_to_string().encode()}, recipe, provenance)
    return Trained(path, metadata, FraudBench(known, tested, stored))


def _fit(rows: Floats, labels: Ints, progress: Progress) -> lightgbm.Booster:
    def grown(env: lightgbm.callback.CallbackEnv) -> None:
        progress.tree(env.iteration + 1, ROUNDS)

    data = lightgbm.Dataset(rows, labels, feature_name=list(NEEDS.names))
    return lightgbm.train(dict(PARAMETERS), data, num_boost_round=ROUNDS, callbacks=[grown])


def _recipe(data: DataSummary, metrics: dict[str, float]) -> Recipe:
    return Recipe(
        model=MODEL,
        data=data,
        parameters={"trees": ROUNDS, **PARAMETERS},
        metrics=metrics,
        payload=NEEDS.payload,
        needs=NEEDS.needs,
        feature_hash=NEEDS.hash,
        signature=Signature(
            inputs=tuple(Column(name) for name in NEEDS.names), outputs=(Column("probability"),)
        ),
    )


def _summary(known: Transactions, split: Split, fitted: Places, tested: Places) -> DataSummary:
    parts = {"train": (split.train, fitted), "test": (split.test, tested)}
    return DataSummary(
        first=str(split.train.first),
        last=str(split.test.last),
        ranges={part: str(days) for part, (days, _) in parts.items()},
        rows={part: len(places) for part, (_, places) in parts.items()},
        labels={f"{part}.fraud": int(known.fraud[places].sum()) for part, (_, places) in parts.items()},
        sha256=known.digest(),
    )
