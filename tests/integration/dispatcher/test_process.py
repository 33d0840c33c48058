"""`signalbox dispatcher` and `signalbox reconcile` as processes: what they do, and how they end."""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from events.topics import EVENTS
from tests.integration.dispatcher.ground import Ground, lane_records, order, wait_until
from tests.integration.dispatcher.worker import working

ROOT = Path(__file__).resolve().parents[3]


class Part:
    """A `signalbox` process and what it says."""

    def __init__(self, ground: Ground, broker_url: str, arguments: Sequence[str]) -> None:
        self._log = ground.folder / "log"
        env = {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": ground.kafka,
            "CELERY_BROKER_URL": broker_url,
            "SIGNALBOX_ROUTING_TABLE": str(ground.table_path),
            "SIGNALBOX_WORKFLOWS": str(ground.workflows_path),
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cli", *arguments],
                cwd=ROOT,
                env=env,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        """All that it has printed."""
        return self._log.read_text()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal it, unless it has ended already, and wait for its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(30)

    def wait(self) -> int:
        """Wait for it to end by itself."""
        return self._process.wait(60)


@contextmanager
def running(ground: Ground, broker_url: str, *arguments: str) -> Iterator[Part]:
    """A process that is gone in the end."""
    part = Part(ground, broker_url, arguments)
    try:
        yield part
    finally:
        part.end(signal.SIGKILL)


def test_a_dispatcher_routes_feeds_takes_a_new_table_and_ends_by_sigterm(
    ground: Ground, broker_url: str
) -> None:
    number = secrets.randbits(40)
    with running(ground, broker_url, "dispatcher") as part, working(broker_url, ground.queue) as worker:
        wait_until(lambda: "is in force" in part.said(), 60, "it has a table")
        ground.produce(EVENTS, [order(number)])
        wait_until(lambda: f"e-{number}" in worker.event_ids(ground.lane), 60, "it is fed")
        ground.table_path.write_text("routes: {order.placed: {workflow: nobody}}")
        wait_until(lambda: "stays in force" in part.said(), 30, "the bad table is refused")
        ground.write_table(order_placed="low")
        wait_until(lambda: part.said().count("is in force") == 2, 30, "the good table is taken")
        ground.produce(EVENTS, [order(number + 1)])
        low = f"{ground.queue}.low"
        wait_until(lambda: f"e-{number + 1}" in worker.event_ids(low), 60, "its new lane is fed")
        assert part.end() == 0


def test_ctrl_c_ends_a_reconciler(ground: Ground, broker_url: str) -> None:
    with running(ground, broker_url, "reconcile") as part:
        wait_until(lambda: "complete" in part.said(), 60, "it has looked at the lane")
        assert part.end(signal.SIGINT) == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(
            ["--queue", "ml.fraud.inptu"], "ml.fraud.inptu: no pool serves it", id="an unknown queue"
        ),
        pytest.param(["--role", "baker"], "baker", id="an unknown role"),
    ],
)
def test_what_cannot_be_dispatched_is_said_at_once(
    ground: Ground, broker_url: str, arguments: list[str], says: str
) -> None:
    with running(ground, broker_url, "dispatcher", *arguments) as part:
        assert part.wait() == 2
        assert says in part.said()


def test_a_feeder_role_feeds_and_routes_nothing(ground: Ground, broker_url: str) -> None:
    number = secrets.randbits(40)
    ground.produce(ground.lane, lane_records(ground, [number]))
    with (
        running(ground, broker_url, "dispatcher", "--role", "feeder", "--queue", ground.queue) as part,
        working(broker_url, ground.queue) as worker,
    ):
        wait_until(lambda: f"e-{number}" in worker.event_ids(ground.lane), 60, "it is fed")
        assert "router" not in part.said()
        assert part.end() == 0
