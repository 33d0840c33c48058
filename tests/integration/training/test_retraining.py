"""From `dataset.updated` to a challenger in the registry: the operator's own command, once for a storm."""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from models.changes import Changes
from models.fraud import MODEL
from models.registry import Registry
from models.run_tables import RUNS
from models.runs import Runs
from models.trainer import Trainer
from models.training_plan import Plan, load_plans
from models.workflow import Case
from stack.retail import TENANT
from tasks.training_runs import launch, run_due
from tests.trained import small_database
from tests.unit.models.cases import DECISION
from tests.unit.models.test_trainer import NOTHING, updated
from transport.clock import system_clock
from transport.database import Database, open_database


@pytest.fixture
def plan(tmp_path: Path, mlflow_uri: str, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """The shipped one, on the small shop, whose commands find this test's own parts."""
    database = shutil.copy(small_database(), tmp_path / "features.db")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{database}")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_uri)
    monkeypatch.setenv("SIGNALBOX_TRAINING_REPORTS", str(tmp_path / "reports"))
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    shipped = load_plans(Path("config/training.yaml"))[MODEL]
    return replace(shipped, command="fraud --train-days 14", tenant=TENANT)


@pytest.fixture
def database(plan: Plan, tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'features.db'}")
    yield opened
    opened.close()


@pytest.fixture
def runs(database: Database) -> Runs:
    runs = Runs(database)
    runs.create()
    return runs


def storm(plan: Plan, runs: Runs) -> None:
    """Forty events of four dataset versions, any two of which are enough."""
    trainer = Trainer({plan.model: plan}, runs)
    events = [
        updated(f"v{number % 4}", plan.min_rows // 2, f"e-{number}", tenant_id=TENANT) for number in range(40)
    ]
    trainer.infer([Case(event, DECISION, {}, NOTHING) for event in events])


def ended(database: Database) -> list[str]:
    with database.reading() as connection:
        return list(connection.execute(select(RUNS.c.state).order_by(RUNS.c.token)).scalars())


def look(plan: Plan, runs: Runs) -> list[str]:
    """As the worker's task does."""
    return list(run_due({plan.model: plan}, runs, system_clock, lambda each: launch(each, lambda: False)))


@pytest.mark.timeout(600)
def test_a_storm_of_updates_is_one_training_whose_model_is_the_challenger(
    plan: Plan, runs: Runs, database: Database, mlflow_uri: str, tmp_path: Path
) -> None:
    storm(plan, runs)
    # two workers look at the same time
    with ThreadPoolExecutor(2) as pool:
        said = {line for lines in pool.map(lambda _: look(plan, runs), range(2)) for line in lines}
    assert f"{MODEL} was trained: registered, or the champion already" in said
    assert ended(database) == ["registered"]
    registry = Registry(mlflow_uri)
    challenger = registry.pointed(MODEL, "challenger")
    assert challenger is not None
    assert registry.pointed(MODEL, "champion") is None
    (change,) = Changes(database).done(MODEL, "challenger")
    assert (change.version, change.digest, change.who) == (
        challenger.number,
        challenger.digest,
        "dataset.updated",
    )
    (report,) = (tmp_path / "reports" / MODEL).glob("*.json")
    assert json.loads(report.read_bytes())["version"] == challenger.number
    # what was trained on starts nothing any more
    storm(plan, runs)
    assert look(plan, runs) == []


@pytest.mark.timeout(600)
def test_a_training_that_fails_is_written_down_and_tried_again_later(
    plan: Plan, runs: Runs, database: Database
) -> None:
    storm(plan, runs)
    broken = replace(plan, command="fraud --data /no/such/file.parquet")
    assert look(broken, runs) == [f"the training of {MODEL} ended with exit code 2"]
    assert ended(database) == ["failed"]
    known = runs.known(MODEL, TENANT)
    assert (known.pending, known.failures) == (2 * plan.min_rows, 1)
    # its pause has not passed
    assert look(plan, runs) == []


def test_a_command_that_does_not_exist_is_a_failure_that_is_written_down_too(
    plan: Plan, runs: Runs, database: Database
) -> None:
    storm(plan, runs)
    broken = replace(plan, command="nothing")
    assert look(broken, runs) == [f"the training of {MODEL} ended with exit code 2"]
    assert ended(database) == ["failed"]
    # its pause has not passed
    assert look(broken, runs) == []
