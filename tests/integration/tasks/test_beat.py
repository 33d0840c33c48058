"""A real beat and a real worker begin a night, with nothing but the clock to ask them to."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from events.topics import EVENTS
from features.offline.batch import StreamBatch
from features.offline.nights import Nights
from features.offline.store import open_offline
from features.retail import DEFINITIONS
from tests.integration.tasks.rig import ROOT, wait_until
from tests.services import BROKER_DB, on_database
from transport.clock import system_clock
from transport.topics import TopicSpec, create_topics

TENANT = "beaten"
QUEUE = "ml.forecast.nights"
BEGIN_S = 90
"""Beat's schedule is by whole minutes: the next one, and what two processes take to start."""


@contextmanager
def celery(name: str, arguments: list[str], env: dict[str, str], folder: Path) -> Iterator[Path]:
    """`celery -A tasks …` as an operator types it; yields its log."""
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "tasks", name, "--loglevel", "INFO", *arguments],
            cwd=ROOT,
            env={**os.environ, **env},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield log
    finally:
        process.terminate()
        process.wait(30)


def test_a_beat_begins_the_night_that_is_due(
    redis_url: str, features_url: str, kafka: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    store, now = open_offline(url), system_clock()
    store.create(DEFINITIONS)
    # all that was sold before this midnight is counted
    store.commit(StreamBatch(EVENTS, 0, 0, 1, now, now, ()))
    env = {
        "CELERY_BROKER_URL": on_database(redis_url, BROKER_DB),
        "REDIS_URL": features_url,
        "DATABASE_URL": url,
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "SIGNALBOX_TENANT": TENANT,
        "SIGNALBOX_NIGHTLY_AT": "00:00",
        "SIGNALBOX_TIME_ZONE": "UTC",
    }
    schedule = ["--schedule", str(tmp_path / "schedule"), "--pidfile", ""]
    night = datetime.now(UTC).date().isoformat()
    nights = Nights(store.database)
    create_topics(AdminClient({"bootstrap.servers": kafka}), [TopicSpec(EVENTS, 4)])

    def triggered() -> bool:
        found = nights.find(TENANT, night)
        return found is not None and found.state == "triggered"

    with ExitStack() as running:
        worker = ["-Q", QUEUE, "--concurrency", "1", "--hostname", "nights@test"]
        logs = [
            running.enter_context(celery("worker", worker, env, tmp_path)),
            running.enter_context(celery("beat", schedule, env, tmp_path)),
        ]
        try:
            wait_until(triggered, BEGIN_S, "the night is triggered")
        except AssertionError as error:
            said = "\n".join(log.read_text(errors="replace")[-3_000:] for log in logs)
            pytest.fail(f"{error}\n{said}")
    store.close()
