"""Is what is due trained, in a process that ends with the worker?"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from models.retraining import Known
from models.training_plan import Plan
from tasks.training_runs import TrainingFailedError, command, launch, run_due
from tests.unit.models.plans import PLAN

NOW = 1_800_000_000_000
CHURN = replace(PLAN, model="churn-predictor", command="churn --days '30 days'")


@dataclass
class Ledger:
    """What is known by model; nothing of any other."""

    models: Mapping[str, Known] = field(default_factory=dict)

    def known(self, model: str, tenant_id: str) -> Known:
        assert tenant_id == PLAN.tenant
        return self.models.get(model, Known())


def due(launched: list[str], **known: Known) -> list[str]:
    def begin(plan: Plan) -> str:
        launched.append(plan.model)
        if plan is CHURN:
            raise TrainingFailedError("the training of churn-predictor ended with exit code 2")
        return "registered"

    plans = {plan.model: plan for plan in (CHURN, PLAN)}
    models = {name.replace("_", "-"): each for name, each in known.items()}
    return list(run_due(plans, Ledger(models), lambda: NOW, begin))


def test_nothing_begins_where_nothing_is_due() -> None:
    launched: list[str] = []
    assert due(launched, fraud_classifier=Known(pending=999)) == []
    assert launched == []


def test_what_fails_holds_up_no_other_model() -> None:
    launched: list[str] = []
    enough = Known(pending=5_000)
    said = due(launched, fraud_classifier=enough, churn_predictor=enough)
    assert launched == ["churn-predictor", "fraud-classifier"]
    assert said == [
        "the training of churn-predictor ended with exit code 2",
        "fraud-classifier was trained: registered",
    ]


def test_nothing_begins_while_another_model_is_being_trained() -> None:
    launched: list[str] = []
    busy = Known(leased_until=NOW + 1)
    assert due(launched, fraud_classifier=Known(pending=5_000), churn_predictor=busy) == []
    assert launched == []


def test_what_is_run_is_what_an_operator_types() -> None:
    assert command(CHURN) == [sys.executable, "-m", "cli", "train", "churn", "--days", "30 days"]


@pytest.mark.parametrize(
    ("code", "fails"),
    [
        pytest.param(0, False, id="it was registered"),
        pytest.param(1, False, id="the gate refused it: that is an end"),
        pytest.param(3, False, id="somebody else trains the model"),
        pytest.param(2, True, id="it came to no end"),
    ],
)
def test_how_it_ended(code: int, fails: bool) -> None:
    line = [sys.executable, "-c", f"raise SystemExit({code})"]
    if fails:
        with pytest.raises(TrainingFailedError, match="exit code 2"):
            launch(PLAN, lambda: False, line)
    else:
        launch(PLAN, lambda: False, line)


def test_a_worker_that_stops_stops_the_training() -> None:
    line = [sys.executable, "-c", "import signal; signal.pause()"]
    with pytest.raises(TrainingFailedError, match="exit code -15"):
        launch(PLAN, lambda: True, line)


def test_what_it_changes_is_put_down_to_the_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNALBOX_USER", "whoever started the worker")
    check = "import os, sys; sys.exit(0 if os.environ['SIGNALBOX_USER'] == 'dataset.updated' else 2)"
    assert launch(PLAN, lambda: False, [sys.executable, "-c", check]).startswith("registered")
