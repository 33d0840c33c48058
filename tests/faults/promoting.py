"""Promotions and rollbacks under load, then their services away: every event is answered.

python -m tests.faults.promoting
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import Producer

from benchmarks.orders import order
from events.errors import Unavailable
from events.topics import EVENTS
from features.offline.store import open_offline
from features.retail import DEFINITIONS
from models.artifact import Artifact, load
from models.changes import Changes
from models.fraud import MODEL
from models.registry import CHAMPION, Registry
from models.reports import connect_reports
from tests.faults.answers import Answers, audit
from tests.faults.kills import SETTLE_SECONDS, settle
from tests.faults.outcomes import OutcomeReader
from tests.faults.processes import free_port, mlflow, postgres, wait_until
from tests.faults.rig import FRAUD_QUEUE, Rig, rig
from tests.trained import train_small
from training.registering import TrainingRegistry
from transport.clock import system_clock
from transport.kafka import producer_config

RATE = 200
RUN = "promoting"
PAUSE_S = 8.0
"""Between two steps, and how long each outage lasts."""
EFFECTIVE_S = 5.0
PROCESSES = 2
DAYS = (14, 12, 10)
"""What the three versions are trained on: each has trees of its own."""


class Field:
    """The rig with a registry, and what happened there."""

    def __init__(self, made: Rig, versions: list[Artifact]) -> None:
        self.made = made
        self.versions = versions
        self.registry = Registry(made.extra_env["MLFLOW_TRACKING_URI"])
        self.reports = connect_reports(made.store_url)
        self.late: list[str] = []
        self.phases: list[tuple[str, int, int]] = []

    def digest(self, number: int) -> str:
        """Of a version by its number."""
        return self.versions[number - 1].metadata.digest

    def serves(self, number: int) -> bool:
        """Whether each process says that it serves this version."""
        said = [report.digest for report in self.reports.read(MODEL)]
        return len(said) == PROCESSES and set(said) == {self.digest(number)}

    def moved(self, what: str, number: int, *command: str) -> None:
        """Move the champion by a command; how long until each process serves it."""
        arguments = ("models", *command, "--why", what, "--wait", "0")
        moving = threading.Thread(target=self.made.complete, args=(what, *arguments))
        moving.start()
        wait_until(lambda: self.serves(number), 60, f"each process serves v{number}")
        served = system_clock()
        moving.join()
        database = open_offline(self.made.env["DATABASE_URL"]).database
        took = (served - Changes(database).done(MODEL, CHAMPION)[-1].at) / 1_000
        database.close()
        print(f"  {what}: each process serves v{number} {took:.2f} s after the alias moved", flush=True)
        if took > EFFECTIVE_S:
            self.late.append(what)

    @contextmanager
    def phase(self, what: str) -> Iterator[None]:
        """Remember when it began and ended."""
        print(f"  {what}", flush=True)
        began = system_clock()
        yield
        self.phases.append((what, began, system_clock()))


def equip(made: Rig) -> Field:
    """A PostgreSQL, an MLflow over it, and three versions of which the first is champion."""
    ports = made.ports
    ports["postgres"], ports["mlflow"] = free_port(), free_port()
    database = f"postgresql+psycopg://postgres@127.0.0.1:{ports['postgres']}/postgres"
    made.services["postgres"] = postgres(ports["postgres"], made.folder)
    made.services["mlflow"] = mlflow(ports["mlflow"], database, made.folder)
    for service in ("postgres", "mlflow"):
        made.services[service].start()
        made.wait_for(service)
    made.extra_env |= {
        "DATABASE_URL": database,
        "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{ports['mlflow']}",
        "SIGNALBOX_MODEL_CACHE": str(made.folder / "model-cache"),
        "SIGNALBOX_USER": "the fault run",
    }
    open_offline(database).create(DEFINITIONS)
    field = Field(made, list(_versions(made.extra_env["MLFLOW_TRACKING_URI"])))
    made.complete("first", "models", "promote", MODEL, "1", "--why", "the first", "--wait", "0")
    return field


def _versions(uri: str) -> Iterator[Artifact]:
    training = TrainingRegistry(uri)
    for days in DAYS:
        path = train_small(Path(tempfile.mkdtemp(prefix="signalbox-version-")), train_days=days).path
        made = training.register(load(path), {})
        yield load(path, made.version)


def promote_and_roll_back(field: Field) -> None:
    """To the second version and back, twice."""
    for turn in ("first", "second"):
        time.sleep(PAUSE_S)
        field.moved(f"{turn} promotion", 2, "promote", MODEL, "2")
        time.sleep(PAUSE_S)
        field.moved(f"{turn} rollback", 1, "rollback", MODEL)
    time.sleep(PAUSE_S)


def take_away(field: Field) -> None:
    """Registry, PostgreSQL and artifacts, one after the other; a promotion waits for its files."""
    made = field.made
    for service in ("mlflow", "postgres"):
        with field.phase(f"{service} is away"):
            made.services[service].kill()
            time.sleep(PAUSE_S)
        made.restart(service)
        wait_until(lambda: _answers(field.registry), 60, "the registry answers")
    artifacts, elsewhere = made.folder / "artifacts", made.folder / "elsewhere"
    with field.phase("the artifacts are away, and the alias names a version that nobody has"):
        artifacts.rename(elsewhere)
        field.registry.point(MODEL, CHAMPION, "3")
        time.sleep(PAUSE_S)
        troubled = [report.trouble for report in field.reports.read(MODEL)]
        print(f"  what the processes say: {troubled[:1]}", flush=True)
    elsewhere.rename(artifacts)
    wait_until(lambda: field.serves(3), 60, "each process serves v3")


def _answers(registry: Registry) -> bool:
    try:
        return registry.pointed(MODEL, CHAMPION) is not None
    except Unavailable:
        return False


def report(field: Field, answers: Answers, missing: int, dead: dict[str, int], several: int) -> bool:
    """Print what came out; True if each event was answered once, by a whole version, in time."""
    numbers = {field.digest(number): number for number in (1, 2, 3)}
    by = {f"v{numbers.get(digest, '?')}": count for digest, count in answers.by_digest.items()}
    print(f"missing {missing}; dead letters {dead}; events with more than one id {several}")
    print(f"predictions by version {by}; by a version that was never registered {answers.foreign}")
    print(f"predictions that differ from what their version says of the same features: {answers.differing}")
    silent = []
    for what, first, last in field.phases:
        fewest = answers.slowest_second(first, last)
        print(f"{what}: at least {fewest} predictions in each second")
        silent += [what] if not fewest else []
    bad = missing or dead or several or answers.foreign or answers.differing or silent or field.late
    return not bad and len(by) == len(DAYS)


def main() -> int:
    """Run once; 0 if nothing was lost, and each move was effective in time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=RATE)
    rate = parser.parse_args().rate
    with rig() as made:
        print(f"logs in {made.folder}", flush=True)
        field = equip(made)
        for name, *command in (("dispatcher", "dispatcher"), ("reconciler", "reconcile")):
            made.run(name, *command)
        made.run("worker", "worker", FRAUD_QUEUE)
        wait_until(lambda: field.serves(1), 60, "each process serves v1")
        reader = OutcomeReader(made.bootstrap, [FRAUD_QUEUE])
        sent, source = playing(made, rate, (promote_and_roll_back, take_away), field)
        events = {f"{RUN}-{number}" for number in range(sent)}
        outcomes, took = settle(reader, events, SETTLE_SECONDS)
        print(f"{sent:,} events at {rate:g} a second over {source:.0f} s; settled after {took:.1f} s")
        several = sum(len(ids) > 1 for ids in outcomes.ids.values())
        missing = len(events - outcomes.ids.keys())
        answers = audit(made.bootstrap, field.versions)
        return 0 if report(field, answers, missing, dict(outcomes.dead_letters), several) else 1


def playing(
    made: Rig, rate: float, steps: tuple[Callable[[Field], None], ...], field: Field
) -> tuple[int, float]:
    """Play events until every step was taken; how many, over how many seconds."""
    done = threading.Event()
    sent = []
    began = time.monotonic()
    thread = threading.Thread(target=lambda: sent.append(produce_until(made, rate, done)))
    thread.start()
    try:
        for step in steps:
            step(field)
    finally:
        done.set()
        thread.join()
    return sent[0], time.monotonic() - began


def produce_until(made: Rig, rate: float, done: threading.Event) -> int:
    """Write events at a steady rate; how many."""
    producer = Producer(producer_config(made.bootstrap, **{"linger.ms": 5, "log_level": 2}))
    rng, start, number = random.Random(RUN), time.monotonic(), 0
    while not done.wait(max(0.0, start + number / rate - time.monotonic())):
        key, value = order(number, RUN, system_clock(), rng)
        producer.produce(EVENTS, value=value, key=key)
        producer.poll(0)
        number += 1
    producer.flush(120)
    return number


if __name__ == "__main__":
    sys.exit(main())
