"""A due training runs in a process that ends with the worker."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from models.retraining import Known
from models.training_plan import Plan
from tasks.training_runs import TookTooLongError, TrainingFailedError, command, launch, run_due
from tests.unit.models.plans import PLAN

NOW = 1_800_000_000_000
CHURN = replace(PLAN, model="churn-predictor", command="churn --days '30 days'")


@dataclass
class Ledger:
    """What is known by model; nothing of any other."""

    models: Mapping[str, Known] = field(default_factory=dict)
    failed: list[tuple[str, int, str]] = field(default_factory=list)

    def known(self, model: str, tenant_id: str) -> Known:
        assert tenant_id == PLAN.tenant
        return self.models.get(model, Known())

    def fail(self, model: str, since: int, finding: str) -> None:
        self.failed.append((model, since, finding))


FAILS = TrainingFailedError("the training of churn-predictor ended with exit code 2")


def due(
    launched: list[str], ledger: Ledger | None = None, fails: TrainingFailedError = FAILS, **known: Known
) -> list[str]:
    def begin(plan: Plan) -> str:
        launched.append(plan.model)
        if plan is CHURN:
            raise fails
        return "registered"

    plans = {plan.model: plan for plan in (CHURN, PLAN)}
    ledger = ledger or Ledger()
    ledger.models = {name.replace("_", "-"): each for name, each in known.items()}
    return list(run_due(plans, ledger, lambda: NOW, begin))


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


def test_a_failure_is_written_down_by_who_saw_it_too() -> None:
    ledger = Ledger()
    due([], ledger, churn_predictor=Known(pending=5_000))
    assert ledger.failed == [
        ("churn-predictor", NOW, "the training of churn-predictor ended with exit code 2")
    ]


def test_who_took_all_of_the_time_leaves_none_for_another() -> None:
    launched: list[str] = []
    ledger = Ledger()
    late = TookTooLongError("the training of churn-predictor took too long")
    enough = Known(pending=5_000)
    said = due(launched, ledger, late, fraud_classifier=enough, churn_predictor=enough)
    assert (said, launched) == ([str(late)], ["churn-predictor"])
    assert ledger.failed == [("churn-predictor", NOW, str(late))]


@pytest.mark.parametrize("first", [pytest.param(True, id="one before"), pytest.param(False, id="one after")])
def test_while_another_model_is_trained_none_begins(first: bool) -> None:
    launched: list[str] = []
    enough, training = Known(pending=5_000), Known(leased_until=NOW + 1)
    churn, fraud = (training, enough) if first else (enough, training)
    assert due(launched, churn_predictor=churn, fraud_classifier=fraud) == []
    assert launched == []


def test_what_is_run_is_what_an_operator_types() -> None:
    told = ("churn", "--days", "30 days", "--tenant", "acme")
    assert command(CHURN) == [sys.executable, "-m", "cli", "train", *told]


@pytest.mark.parametrize(
    ("code", "fails"),
    [
        pytest.param(0, False, id="it was registered"),
        pytest.param(4, False, id="the gate refused it: that is an end"),
        pytest.param(3, False, id="somebody else trains the model"),
        pytest.param(1, True, id="nobody foresaw what it raised"),
        pytest.param(2, True, id="it came to no end"),
    ],
)
def test_how_it_ended(code: int, fails: bool) -> None:
    line = [sys.executable, "-c", f"raise SystemExit({code})"]
    if fails:
        with pytest.raises(TrainingFailedError, match=f"exit code {code}"):
            launch(PLAN, lambda: False, line)
    else:
        launch(PLAN, lambda: False, line)


def test_a_worker_that_stops_stops_the_training_which_is_no_failure() -> None:
    line = [sys.executable, "-c", "import signal; signal.pause()"]
    assert launch(PLAN, lambda: True, line) == "stopped with its worker"


def test_the_time_limit_of_the_task_ends_the_training_which_is_a_failure() -> None:
    line = [sys.executable, "-c", "import signal; signal.pause()"]

    def limit() -> bool:
        raise SoftTimeLimitExceeded

    with pytest.raises(TookTooLongError, match="fraud-classifier took too long"):
        launch(PLAN, limit, line)


def test_what_it_changes_is_put_down_to_the_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNALBOX_USER", "whoever started the worker")
    check = (
        "import os; told = os.environ; by_plan = 'SIGNALBOX_TRAINED_BY_PLAN' in told;"
        "raise SystemExit(0 if by_plan and told['SIGNALBOX_USER'] == 'dataset.updated' else 2)"
    )
    assert launch(PLAN, lambda: False, [sys.executable, "-c", check]).startswith("registered")
