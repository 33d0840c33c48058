"""The answer to `dataset.updated`, however often and in which order it comes."""

from pathlib import Path
from typing import Any

import pytest

from events.envelope import Envelope
from events.errors import DeadLetter
from events.prediction import TrainingDetail
from features.reading import FeatureVector
from models.runs import Runs
from models.trainer import Trainer
from models.training_plan import load_plans
from models.workflow import Answer, Case
from tests.unit.models.cases import DECISION
from tests.unit.models.plans import PLAN
from transport.database import open_database

NOTHING = FeatureVector((), (), (), None, "online", "")


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    runs = Runs(open_database(f"sqlite:///{tmp_path / 'runs.db'}"))
    runs.create()
    return runs


@pytest.fixture
def trainer(runs: Runs) -> Trainer:
    return Trainer({PLAN.model: PLAN}, runs)


def test_its_version_is_that_of_the_plans_wherever_they_stand_in_the_file(runs: Runs, tmp_path: Path) -> None:
    text = Path("config/training.yaml").read_text()
    files = {
        "shipped": text,
        "moved": f"# a line more\n{text}",
        "other": text.replace("margin: 0.005", "margin: 0.1"),
    }
    versions = {}
    for name, content in files.items():
        path = tmp_path / f"{name}.yaml"
        path.write_text(content)
        versions[name] = Trainer(load_plans(path), runs).version
    assert versions["shipped"] == versions["moved"]
    assert versions["shipped"].digest != versions["other"].digest


def updated(
    version: str, rows: int, event_id: str = "e-1", model: str = PLAN.model, tenant_id: str = PLAN.tenant
) -> Envelope:
    payload: dict[str, Any] = {
        "model_id": model,
        "dataset_version": version,
        "rows_added": rows,
        "triggered_at": 1_800_000_000_000,
    }
    return Envelope(
        event_id=event_id,
        event_type="dataset.updated",
        source="tests",
        version="1.0.0",
        occurred_at=1_800_000_000_000,
        tenant_id=tenant_id,
        payload=payload,
    )


def answers(trainer: Trainer, *events: Envelope) -> list[tuple[str, str]]:
    found = []
    for answer in trainer.infer(
        [Case(event, DECISION, trainer.entities(event), NOTHING) for event in events]
    ):
        assert isinstance(answer, Answer)
        found.append((answer.output.label, answer.output.decision))
    return found


def test_rows_add_up_until_a_training_is_due(trainer: Trainer) -> None:
    events = [updated("v1", 600, "a"), updated("v2", 399, "b"), updated("v3", 1, "c"), updated("v4", 1, "d")]
    found = [answer for event in events for answer in answers(trainer, event)]
    assert found == [("waiting", "wait")] * 2 + [("due", "train")] * 2


def test_events_that_come_together_are_told_what_they_mean_together(trainer: Trainer) -> None:
    events = [updated("v1", 600, "a"), updated("v2", 400, "b")]
    assert answers(trainer, *events) == [("due", "train")] * 2


def test_an_event_that_comes_again_counts_once_and_is_told_the_same(trainer: Trainer, runs: Runs) -> None:
    event = updated("v1", 1_000)
    assert answers(trainer, event, event) == [("due", "train")] * 2
    assert runs.known(PLAN.model, PLAN.tenant).pending == 1_000


def test_another_event_of_the_same_version_counts_nothing(trainer: Trainer, runs: Runs) -> None:
    assert answers(trainer, updated("v1", 600), updated("v1", 600, "e-2")) == [
        ("waiting", "wait"),
        ("known", "ignore"),
    ]
    assert runs.known(PLAN.model, PLAN.tenant).pending == 600


def test_another_tenants_rows_are_not_trained_on(trainer: Trainer, runs: Runs) -> None:
    assert answers(trainer, updated("v1", 9_999, tenant_id="other")) == [("foreign", "ignore")]
    assert runs.known(PLAN.model, PLAN.tenant).pending == 0


def test_the_answer_says_how_much_is_missing(trainer: Trainer) -> None:
    event = updated("v1", 600)
    (answer,) = trainer.infer([Case(event, DECISION, {}, NOTHING)])
    assert isinstance(answer, Answer)
    assert answer.output.detail == TrainingDetail("v1", 600, 600, 1_000)
    assert trainer.entity_id(event) == PLAN.model


def test_a_model_without_a_plan_is_dead_lettered_with_what_was_meant(trainer: Trainer) -> None:
    with pytest.raises(DeadLetter, match=r"fraud-classifer has no plan .*; nearest: fraud-classifier"):
        trainer.entities(updated("v1", 600, model="fraud-classifer"))
