"""`signalbox up` and `demo` start everything, keep it running, and leave nothing behind."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from events.errors import Unavailable
from features.offline.batch import BACKFILL_TOPIC
from features.offline.store import open_offline
from settings import local_stack_runs

ROOT = Path(__file__).parents[3]
SERVICES = (
    "KAFKA_BOOTSTRAP_SERVERS",
    "CELERY_BROKER_URL",
    "REDIS_URL",
    "DATABASE_URL",
    "LLM_BASE_URL",
    "SUPPORT_PLATFORM_URL",
    "CI",
)
HANGS_S = 500.0
"""Catches what hangs; how long a start and the demonstration take is measured elsewhere."""


class Command:
    """A command of ours in a folder of its own, and all that it has printed."""

    def __init__(self, folder: Path, arguments: Sequence[str]) -> None:
        if not (folder / "config").exists():
            (folder / "config").symlink_to(ROOT / "config")
        env = {name: value for name, value in os.environ.items() if name not in SERVICES}
        self.process = psutil.Popen(
            [sys.executable, "-m", "cli", *arguments],
            cwd=folder,
            env={**env, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait(self, seconds: float) -> int:
        code = self.process.wait(seconds)
        self._reader.join()
        return int(code)

    def close(self) -> None:
        """Whatever a failed test has left."""
        if self.process.is_running():
            self.process.terminate()
            psutil.wait_procs([self.process], 60)
        self._reader.join()
        self.process.stdout.close()

    def part(self, *words: str) -> psutil.Process:
        """The process of ours whose command line holds these words."""
        return next(
            child
            for child in self.process.children(recursive=True)
            if all(word in child.cmdline() for word in words)
        )


@contextmanager
def command(folder: Path, *arguments: str) -> Iterator[Command]:
    made = Command(folder, arguments)
    try:
        yield made
    finally:
        made.close()


def wait_for(condition: Callable[[], bool], made: Command, seconds: float = HANGS_S) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, made.output
        assert made.process.is_running(), made.output
        time.sleep(0.1)


@pytest.mark.timeout(900)
def test_up_runs_everything_revives_what_dies_and_stops_without_a_trace(tmp_path: Path) -> None:
    with command(tmp_path, "up", "--rate", "20") as up:
        wait_for(lambda: "Ctrl-C stops it" in up.output, up)
        assert local_stack_runs(tmp_path / "var/local.env")
        assert "no worker yet" not in up.output
        assert "no LLM is configured: a scripted stand-in answers" in up.output
        assert "tickets, drafts and actions: http://127.0.0.1:" in up.output
        tree = up.process.children(recursive=True)
        addresses = (tmp_path / "var/local.env").read_text()
        assert "SIGNALBOX_ROUTING_TABLE=config/routing_table.yaml\n" in addresses
        # what the processes print is in their logs, and a line now and then says how the stack does
        assert (tmp_path / "var/log/worker-fraud.log").stat().st_size > 0
        assert len(up.lines) < 100, up.output
        wait_for(lambda: "parts run" in up.output, up)

        dispatcher = up.part("cli", "dispatcher")
        dispatcher.kill()
        wait_for(lambda: "dispatcher ended (SIGKILL); starts again in 0.5 s" in up.output, up)
        wait_for(lambda: "dispatcher runs again" in up.output, up)
        assert up.part("cli", "dispatcher").pid != dispatcher.pid
        tree += up.process.children(recursive=True)

        up.process.send_signal(signal.SIGTERM)
        assert up.wait(60) == 0, up.output
    assert "the embedded Kafka kept its records in memory, and they are gone" in up.output
    assert not (tmp_path / "var/local.env").exists()
    assert psutil.wait_procs(tree, 5)[1] == []


def some_past_is_counted(database: Path) -> bool:
    if not database.exists():
        return False
    store = open_offline(f"sqlite:///{database}")
    try:
        return bool(store.positions(BACKFILL_TOPIC))
    except Unavailable:  # its tables are being made
        return False
    finally:
        store.close()


def interrupt_the_counting_of_the_past(folder: Path) -> None:
    with command(folder, "up", "--rate", "0") as up:
        wait_for(lambda: "the feature store knows no past yet" in up.output, up)
        wait_for(lambda: some_past_is_counted(folder / "var/local/signalbox.db"), up)
        up.process.send_signal(signal.SIGINT)
        assert up.wait(60) == 0, up.output


@pytest.mark.timeout(900)
def test_a_past_that_was_interrupted_is_counted_by_the_next_up(tmp_path: Path) -> None:
    interrupt_the_counting_of_the_past(tmp_path)
    interrupt_the_counting_of_the_past(tmp_path)


def test_a_second_stack_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    from stack.local_env import published

    with published({}, tmp_path / "var/local.env"), command(tmp_path, "up") as second:
        assert second.wait(30) == 2
    assert "var/local.env: a local stack runs here already" in second.output


@pytest.mark.timeout(900)
def test_the_demonstration_ends_with_an_equation_that_balances(tmp_path: Path) -> None:
    with command(tmp_path, "demo", "--events", "1500", "--rate", "300") as demo:
        code = demo.wait(HANGS_S)
    assert code == 0, demo.output
    routed = re.search(
        r"^routed ([\d,]+) = predictions ([\d,]+) \+ dead letters ([\d,]+)$", demo.output, re.M
    )
    # and what a night adds: a trigger, an event for each SKU of its catalogue, a report
    read = re.search(r"^read 1,6\d\d = routed .* \+ ignored .* \+ unrouted .* \+ refused ", demo.output, re.M)
    assert read, demo.output
    assert routed, demo.output
    left, *right = (int(figure.replace(",", "")) for figure in routed.groups())
    assert left == sum(right) > 500
    assert "labelled held back" in demo.output
    # tickets too came to an end each, before anything was stopped
    assert re.search(r"^tickets: [1-9]\d* escalated, \d+ resolved, \d+ handed to a person", demo.output, re.M)


def test_the_demonstration_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    with command(tmp_path, "demo", "--data", "transactions.parquet") as demo:
        assert demo.wait(30) == 2
    assert demo.lines[-1] == "signalbox: transactions.parquet: there is no such file"
