"""The Celery command that `signalbox worker` runs."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.worker import worker
from events.errors import ConfigError
from settings import load_settings

CATALOGUE = """
workflows:
  fraud-classifier:
    task: tasks.fraud.score
    queues:
      ml.fraud.input:
        pool: prefork
        concurrency: 2
        nice: 5
        soft_time_limit_s: 10
        time_limit_s: 12
        visibility_timeout_s: 15
  churn-predictor:
    task: tasks.churn.predict
    served: false
    queues:
      ml.churn.input:
        pool: prefork
        concurrency: 1
        soft_time_limit_s: 10
        time_limit_s: 12
        visibility_timeout_s: 15
"""
TABLE = """
routes:
  order.placed:
    workflow: fraud-classifier
    priority: high
    sla_ms: 100
    queue: ml.fraud.input
"""


@pytest.fixture
def executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """What would have taken this process's place, after how much `nice`."""
    (tmp_path / "workflows.yaml").write_text(CATALOGUE)
    (tmp_path / "table.yaml").write_text(TABLE)
    monkeypatch.setenv("SIGNALBOX_WORKFLOWS", str(tmp_path / "workflows.yaml"))
    monkeypatch.setenv("SIGNALBOX_ROUTING_TABLE", str(tmp_path / "table.yaml"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    load_settings.cache_clear()
    done: list[object] = []
    monkeypatch.setattr(os, "nice", done.append)
    monkeypatch.setattr(os, "execv", lambda _path, arguments: done.append(arguments[1:5]))
    yield done
    load_settings.cache_clear()


def test_it_prints_and_runs_the_command_of_the_queues_pool(
    executed: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    worker("ml.fraud.input")

    assert executed == [5, ("-m", "celery", "-A", "tasks")]
    assert capsys.readouterr().out.startswith(
        "nice -n 5 celery -A tasks worker -Q ml.fraud.input --pool prefork --concurrency 2"
    )


@pytest.mark.parametrize(
    "queue",
    [
        pytest.param("ml.fraud.inptu", id="misspelt"),
        pytest.param("ml.churn.input", id="no worker for it yet"),
    ],
)
def test_a_queue_without_a_worker_is_refused(executed: list[object], queue: str) -> None:
    with pytest.raises(ConfigError, match=queue):
        worker(queue)

    assert executed == []
