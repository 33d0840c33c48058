"""From the offline store to a churn model: trees, calibrated on later weeks, measured on those after them."""

from dataclasses import dataclass
from pathlib import Path

from features.offline.reader import OfflineReader
from models.artifact import Metadata
from models.churn import MODEL
from models.churn_features import NEEDS
from models.recipe import Column, DataSummary, Provenance, Recipe, Signature
from training.churn_bench import ChurnBench
from training.churn_dataset import Examples, examples
from training.churn_evaluation import evaluate
from training.churn_fit import PARAMETERS, ROUNDS, Fitted, fit, recency_alone, told
from training.churn_split import DAY_MS, Split, day
from training.fraud import Progress
from training.saving import save


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

    The same orders and split give the same digest. Raises `ConfigError` if the store holds too little for
    the split, and `Unavailable`.
    """
    progress.say("features and labels as the store knew them at each moment")
    found = examples(store, tenant_id, split)
    fitted = fit(found, split, progress)
    metrics = measure(fitted, found, split, progress)
    path, metadata = save(model_dir, fitted.files(), recipe(found, split, metrics), provenance)
    return Trained(path, metadata, ChurnBench(store, tenant_id, found.of(split.test), split.horizon_days))


def measure(fitted: Fitted, found: Examples, split: Split, progress: Progress) -> dict[str, float]:
    """On the moments to measure on; beside it what recency alone would have got."""
    tested = found.of(split.test)
    progress.say(told("measure on", tested, split.test))
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
