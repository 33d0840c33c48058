"""The example in docs/adding-a-model.md works: its own code and entries are taken."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

import models
import routing
from events.lane import Batch
from events.prediction import Prediction, decode_prediction
from events.priority import Priority
from features.reading import FeatureVector
from models.workflow import Workflow
from tasks.lifecycle import Lifecycle
from tests.unit.tasks.fakes import NOW, Store, fed

ROOT = Path(__file__).parents[2]
QUEUE = "ml.returns.input"


@dataclass(frozen=True)
class Followed:
    """A folder with what the guide says to write, and the two files that it says to add to."""

    folder: Path

    @property
    def table(self) -> Path:
        """The routing table, with the new route."""
        return self.folder / "routing_table.yaml"

    @property
    def workflows(self) -> Path:
        """The pools, with the new one."""
        return self.folder / "workflows.yaml"


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """Somebody who does what the guide says."""
    made = Followed(tmp_path_factory.mktemp("fifth"))
    guide = (ROOT / "docs" / "adding-a-model.md").read_text(encoding="utf-8")
    for section in guide.split("\n## "):
        block = re.search(r"^```(python|yaml)\n(.+?)^```$", section, re.MULTILINE | re.DOTALL)
        if block is None:
            continue
        kind, code = block.groups()
        (name,) = re.findall(r"`([\w/]+\.(?:py|yaml))`", section.partition("\n")[0])
        file = made.folder / (name if kind == "python" else Path(name).name)
        file.parent.mkdir(exist_ok=True)
        shipped = (ROOT / name).read_text(encoding="utf-8") if kind == "yaml" else ""
        file.write_text(shipped + code, encoding="utf-8")
    return made


@pytest.fixture
def workflow(followed: Followed, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workflow]:
    """The example's workflow."""
    monkeypatch.setattr(models, "__path__", [*models.__path__, str(followed.folder / "models")])
    made: Workflow = import_module("models.returns").ReturnsScreen()
    yield made
    del sys.modules["models.returns"]


def _predicted(workflow: Workflow, vector: FeatureVector) -> Prediction:
    store = Store({"c-1": vector})
    lifecycle = Lifecycle(workflow, store, lambda: NOW, "1.0.0")
    batch = Batch(NOW - 10, (fed("c-1", payload={"order_id": "o-1"}),))
    (record,) = lifecycle.decide(batch, QUEUE, 0).records
    return decode_prediction(record.value or b"")


@pytest.mark.parametrize(
    ("values", "decision", "confidence"),
    [
        pytest.param((1.0, 4.0), "accept", 0.25, id="one order of four came back"),
        pytest.param((3.0, 4.0), "review", 0.75, id="three of four came back"),
        pytest.param((3.0, 0.0), "review", 1.0, id="returns of orders from before all time"),
    ],
)
def test_its_workflow_decides_on_an_order(
    followed: Followed, workflow: Workflow, values: tuple[float, ...], decision: str, confidence: float
) -> None:
    made = _predicted(workflow, FeatureVector(values, (), (), NOW - 60_000, "online", "0@70"))
    assert (made.model_id, made.entity_id) == ("returns-screen-v1", "o-1")
    assert (made.output.decision, made.output.confidence, made.output.detail) == (decision, confidence, None)
    assert made.features == dict(zip(workflow.needs.names, values, strict=True))
    assert made.feature_hash == workflow.needs.hash
    assert (
        made.model_digest == hashlib.sha256((followed.folder / "models/returns.py").read_bytes()).hexdigest()
    )


def test_its_fallback_answers_for_stale_features(workflow: Workflow) -> None:
    stale = FeatureVector(
        (3.0, 4.0), (), ("customer_returns_90d",), NOW - 60_000, "online", "0@70", "fallback"
    )
    made = _predicted(workflow, stale)
    assert (made.output.decision, made.fallback) == ("accept", "stale: customer_returns_90d")


def test_its_route_leads_to_its_pool(followed: Followed) -> None:
    rules = routing.load(followed.table, followed.workflows)
    (route,) = [route for route in rules.table.all_routes if route.queue == QUEUE]
    assert (route.workflow, route.priority) == ("returns-screen", Priority.STANDARD)
    assert rules.catalogue.queues[QUEUE].task == "tasks.returns.screen"


def test_its_pool_imports_its_task(followed: Followed) -> None:
    code = f"""
import models, tasks
models.__path__.append({str(followed.folder / "models")!r})
tasks.__path__.append({str(followed.folder / "tasks")!r})
from celery.signals import celeryd_init
from tasks.celery import app
celeryd_init.send(sender="worker", conf=app.conf, options={{"queues": [{QUEUE!r}]}})
task = app.tasks["tasks.returns.screen"]
print(task.load().name, app.conf.task_queues and {QUEUE!r} in [queue.name for queue in app.conf.task_queues])
"""
    environment = {
        "CELERY_BROKER_URL": "redis://nowhere.invalid/1",
        "KAFKA_BOOTSTRAP_SERVERS": "nowhere.invalid:9092",
        "REDIS_URL": "redis://nowhere.invalid/0",
        "DATABASE_URL": "sqlite:///nowhere.db",
        "SIGNALBOX_ROUTING_TABLE": str(followed.table),
        "SIGNALBOX_WORKFLOWS": str(followed.workflows),
        "PATH": os.environ["PATH"],
    }
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.stdout.strip() == "returns-screen True", ran.stderr
