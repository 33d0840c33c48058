"""The handbook's experiment through Kafka and the pools, beside the same model offline.

    python -m benchmarks.handbook --data card_transactions.parquet

Fits on one week of card transactions, then plays the two that follow into Kafka, orders as they were placed
and labels seven days later, through feature pipeline, dispatcher and workers, in step with the pipeline. The
predictions of the second week are read from Kafka, and measured as the handbook does beside those that the
same model makes from the offline store alone. Then the skew report.
"""

import argparse
import re
import sys
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from confluent_kafka import Message
from numpy.typing import NDArray

from benchmarks.in_step import InStep, chunks
from events.topics import PREDICTIONS
from features.offline.store import open_offline
from features.redis_store import RedisStore
from models.artifact import load, versions
from models.fraud import MODEL
from models.fraud_features import NEEDS
from models.trees import TREES
from monitoring.reading import LogReader
from stack.labels import card_history
from stack.retail import TENANT
from tests.faults.processes import wait_until
from tests.faults.rig import FRAUD_QUEUE, Rig, rig
from training.dataset import Split, matrix, measured_places
from training.evaluation import evaluate
from training.parquet import read_sorted
from training.stored import stored_in
from training.transactions import Places, Transactions, day_of

TRAIN_DAYS = 7
SAY_EVERY_S = 10.0
DIGITS = 3
"""To which the figures of both ways must be equal."""

Scores = NDArray[np.float64]


class _Scored(msgspec.Struct):
    source_event_id: str
    output: "_Output"
    feature_origin: str = "online"


class _Output(msgspec.Struct):
    confidence: float


@dataclass(frozen=True)
class Experiment:
    """The file, its orders, and which of them are measured."""

    path: Path
    transactions: Transactions
    ids: list[str]
    split: Split

    @property
    def begin(self) -> date:
        """The first day that is played."""
        return self.split.train.last + timedelta(days=1)

    @property
    def end(self) -> date:
        """The day after the last that is played."""
        return self.split.test.last + timedelta(days=1)

    @classmethod
    def of(cls, path: Path, until: date) -> "Experiment":
        """The two weeks before `until`, and the one before them to fit on."""
        transactions, ids = read_sorted(path)
        return cls(path, transactions.before(until), ids, Split.before(until, TRAIN_DAYS))

    @property
    def measured(self) -> Places:
        """As the handbook does: without customers already known as compromised."""
        return measured_places(self.split, self.transactions)

    def figures(self, places: Places, scores: Scores) -> dict[str, float]:
        """What these scores are worth."""
        known = self.transactions
        return evaluate(known.days[places], known.customers.codes[places], known.fraud[places], scores)


def offline_scores(experiment: Experiment, made: Rig, model_dir: Path, places: Places) -> Scores:
    """Train on an offline store that holds all of the file, and score the measured orders from it."""
    env = {
        "DATABASE_URL": f"sqlite:///{made.folder}/offline.db",
        "REDIS_URL": f"{made.store_url.removesuffix('/0')}/7",
        "SIGNALBOX_MODEL_DIR": str(model_dir),
    }
    path, until = str(experiment.path), ("--until", experiment.end.isoformat())
    made.complete("backfill offline", "features", "backfill", path, *until, env=env)
    made.complete("train", "train", "fraud", "--data", path, *until, "--train-days", str(TRAIN_DAYS), env=env)
    store = open_offline(env["DATABASE_URL"])
    rows = matrix(NEEDS, experiment.transactions, places, stored_in(store, TENANT))
    store.close()
    return score(model_dir, rows)


def score(model_dir: Path, rows: Any) -> Scores:
    """What the newest model says, without anything of the system around it."""
    from lightgbm import Booster

    booster = Booster(model_str=load(versions(model_dir, MODEL)[0]).read_text(TREES))
    return np.asarray(booster.predict(rows, num_threads=1))


def play(experiment: Experiment, made: Rig, model_dir: Path) -> int:
    """Both weeks through the running system; how many orders that were."""
    made.extra_env["SIGNALBOX_MODEL_DIR"] = str(model_dir)
    until = ("--until", experiment.begin.isoformat())
    made.complete("backfill", "features", "backfill", str(experiment.path), *until)
    made.run("features", "features", "pipeline")
    made.run("dispatcher", "dispatcher")
    made.run("reconciler", "reconcile")
    made.run("worker", "worker", FRAUD_QUEUE)
    for group in ("signalbox.features", "signalbox.router"):
        made.wait_for_assignment(group)
    in_step = InStep(made.bootstrap, RedisStore(made.store_url))
    began = said = time.monotonic()
    orders = parts = 0
    for chunk in chunks(card_history(experiment.path, experiment.begin, experiment.end)):
        in_step.play(chunk)
        orders += sum(emission.fraud is not None for emission in chunk)
        parts += 1
        if time.monotonic() - said > SAY_EVERY_S:
            said = time.monotonic()
            day = day_of(chunk[-1].at // 86_400_000)
            print(f"  {said - began:5.0f} s  {day}  {orders:,} orders in {parts:,} steps", flush=True)
    print(f"  {orders:,} orders in {parts:,} steps, {time.monotonic() - began:.0f} s", flush=True)
    return orders


def read_scores(made: Rig, orders: int) -> dict[str, _Scored]:
    """By event id, the first prediction of each order that was played. Raises `TimeoutError`."""
    decode = msgspec.json.Decoder(_Scored).decode
    scored: dict[str, _Scored] = {}
    reader = LogReader(made.bootstrap, [PREDICTIONS])

    def take(message: Message) -> None:
        found = decode(message.value() or b"")
        scored.setdefault(found.source_event_id, found)

    def there() -> bool:
        for message in reader.read(0.5):
            take(message)
        return len(scored) >= orders

    wait_until(there, 120, f"{orders} predictions")
    reader.close()
    return scored


def report(experiment: Experiment, places: Places, served: Scores, offline: Scores) -> bool:
    """Print both lines of figures; whether they are equal."""
    ours, theirs = experiment.figures(places, served), experiment.figures(places, offline)
    print(f"{len(places):,} orders of {experiment.split.test}")
    print(f"{'':24}{'AUC ROC':>10}{'average precision':>20}{'card precision@100':>20}")
    for name, figures in (("out of Kafka", ours), ("offline", theirs)):
        auc, precision, cards = figures.values()
        print(f"{name:24}{auc:10.3f}{precision:20.3f}{cards:20.3f}")
    print(f"{'the handbook, XGBoost':24}{0.862:10.3f}{0.639:20.3f}{0.273:20.3f}")
    print(f"largest difference of a score: {np.abs(served - offline).max():.3g}")
    return all(round(ours[name], DIGITS) == round(theirs[name], DIGITS) for name in ours)


def compared(said: str) -> int:
    """How many predictions the skew report compared, by its own account."""
    found = re.search(r"values of ([\d,]+) predictions", said)
    return int(found[1].replace(",", "")) if found else 0


def main() -> int:
    """0 if both ways give the same figures, and every feature that was served is the offline store's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--until", type=date.fromisoformat, default=date(2018, 7, 16))
    args = parser.parse_args()
    experiment = Experiment.of(args.data.resolve(), args.until)
    places = experiment.measured
    with rig(seeded=False) as made:
        model_dir = made.folder / "models"
        print(f"logs in {made.folder}", flush=True)
        offline = offline_scores(experiment, made, model_dir, places)
        orders = play(experiment, made, model_dir)
        scored = read_scores(made, orders)
        named = [f"tx-{experiment.ids[place]}" for place in places]
        served = np.array([scored[name].output.confidence for name in named])
        from_offline = sum(each.feature_origin == "offline" for each in scored.values())
        print(f"predictions {len(scored):,}, of which with features from the offline tier {from_offline:,}")
        equal = report(experiment, places, served, offline)
        skewed = made.complete("skew", "features", "skew", check=False)
        said = (made.folder / "skew.log").read_text().rstrip()
        print(said)
    if (told := compared(said)) < orders:
        print(f"of {orders:,} predictions {told:,} were compared")
        return 1
    print("equal, no skew" if equal and not skewed else "NOT equal" if not equal else "skew")
    return 0 if equal and not skewed else 1


if __name__ == "__main__":
    sys.exit(main())
