"""Flower, started as an operator types it, shows pools, queues and how their tasks ended."""

import json
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.integration.tasks.rig import ROOT, TASK, Rig, wait_until


class Flower:
    """`celery -A … flower` and its HTTP API."""

    def __init__(self, rig: Rig) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        command = [sys.executable, "-m", "celery", "-A", "tests.integration.tasks.app", "flower"]
        self._process = subprocess.Popen(
            [*command, "--address=127.0.0.1", f"--port={self._port}"],
            cwd=ROOT,
            # its API answers without a password only if it is told to
            env={**os.environ, **rig.env, "FLOWER_UNAUTHENTICATED_API": "true"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def get(self, path: str) -> Any:
        """What the API answers; an empty object while it does not."""
        try:
            with urlopen(f"http://127.0.0.1:{self._port}/api/{path}", timeout=5) as answer:
                return json.load(answer)
        except (URLError, OSError):
            return {}

    def queues(self) -> dict[str, list[str]]:
        """The queues of each worker."""
        workers = self.get("workers?refresh=1")
        return {name: [q["name"] for q in said.get("active_queues", ())] for name, said in workers.items()}

    def hears(self) -> int:
        """Of how many workers it has heard an event: what happened before it listened it never shows."""
        return sum(self.get("workers?status=true").values())

    def states(self) -> Counter[str]:
        """How many tasks are in each state."""
        return Counter(task["state"] for task in self.get("tasks").values() if task["name"] == TASK)

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(30)


@pytest.fixture
def flower(rig: Rig) -> Iterator[Flower]:
    """A Flower on the rig's broker."""
    made = Flower(rig)
    yield made
    made.close()


def test_flower_lists_each_worker_with_its_queue_and_what_became_of_its_tasks(
    rig: Rig, flower: Flower
) -> None:
    rig.start()
    rig.start()
    wait_until(lambda: len(flower.queues()) == 2, 60, "both workers in Flower")
    wait_until(lambda: flower.hears() == 2, 60, "and what they tell of themselves")

    def both_shown() -> bool:
        # again and again: an event that Flower missed it never shows
        number = next(numbers)
        rig.send({f"good{number}": {}})
        rig.send({f"bad{number}": {"do": "retry"}}, max_retries=3, backoff_ms=5_000)
        with suppress(AssertionError):
            wait_until(lambda: {"SUCCESS", "RETRY"} <= flower.states().keys(), 8, "both")
            return True
        return False

    numbers = count()
    wait_until(both_shown, 60, "a success and a retry in Flower")
    # Flower asks each worker and waits a second: one that answers later stands there without its queues
    only = {(rig.spec.name,)}
    wait_until(
        lambda: set(map(tuple, flower.queues().values())) == only, 30, "each worker with its queue alone"
    )
