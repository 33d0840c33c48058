"""The churn workflow, with a small model whose trees are known."""

import math
from pathlib import Path
from typing import Any

import lightgbm
import msgspec
import numpy as np
import pytest

from events.decision import Decision, Position
from events.envelope import Envelope
from events.errors import DeadLetter
from events.prediction import ChurnDetail
from events.priority import Priority
from features.keys import EntityKey
from features.reading import FeatureVector
from models.artifact import BrokenModelError, load
from models.calibration import CALIBRATION, Calibration
from models.churn import MODEL, ChurnWorkflow
from models.churn_features import NEEDS
from models.recipe import Column, DataSummary, Provenance, Recipe, Signature
from models.thresholds import ChurnThresholds
from models.trees import TREES
from models.workflow import Answer, Case
from tests.outputs import confidence_of
from training.saving import save

NOW = 1_772_409_600_000
HORIZON_DAYS = 14
THRESHOLDS = ChurnThresholds(remind_at=0.5, offer_at=0.8)
CALIBRATED = Calibration(slope=1.5, intercept=0.25, base_rate=0.6, horizon_days=HORIZON_DAYS)
DECISION = Decision(
    prediction_id="pred_1",
    workflow=MODEL,
    queue="ml.churn.input",
    priority=Priority.LOW,
    rule="customer.inactive[0]",
    table_hash="abc",
    sla_ms=300_000,
    deadline=NOW + 300_000,
    source=Position("retail.events", 0, 1),
)


def version(
    folder: Path, files: dict[str, bytes] | None = None, columns: tuple[str, ...] = NEEDS.names
) -> Path:
    """A saved version: the longer ago the last order, the more likely another does not come."""
    rng = np.random.default_rng(7)
    rows = rng.uniform(0, 60, (400, len(columns)))
    labels = (rows[:, 0] > 30).astype(int)
    parameters = {"objective": "binary", "num_leaves": 4, "num_threads": 1, "verbosity": -1, "seed": 7}
    data = lightgbm.Dataset(rows, labels, feature_name=list(columns))
    trees = lightgbm.train(parameters, data, num_boost_round=5).model_to_string().encode()
    recipe = Recipe(
        model=MODEL,
        data=DataSummary(first="", last="", ranges={}, rows={}, labels={}, sha256=""),
        parameters={},
        metrics={},
        payload=NEEDS.payload,
        needs=NEEDS.needs,
        feature_hash=NEEDS.hash,
        signature=Signature(inputs=tuple(map(Column, columns)), outputs=(Column("probability"),)),
    )
    who = Provenance(trained_at="", trained_by="", git_commit="", libraries={}, snapshot="")
    whole = {TREES: trees, CALIBRATION: msgspec.json.encode(CALIBRATED)}
    path, _ = save(folder, whole if files is None else files, recipe, who)
    return path


@pytest.fixture(scope="module")
def workflow(tmp_path_factory: pytest.TempPathFactory) -> ChurnWorkflow:
    return ChurnWorkflow.load(load(version(tmp_path_factory.mktemp("models"))), THRESHOLDS)


def event(event_type: str = "customer.inactive", **payload: Any) -> Envelope:
    return Envelope(
        event_id="e-1",
        event_type=event_type,
        source="shop",
        version="1.0.0",
        occurred_at=NOW,
        tenant_id="acme",
        payload=payload or {"customer_id": "c-1"},
    )


def case(*, explain: bool = False, **values: float) -> Case:
    """A customer with these features, and 10 in the place of the others."""
    keys = {"customer": EntityKey("acme", "customer", "c-1")}
    decision = msgspec.structs.replace(DECISION, explain=explain)
    row = tuple(values.get(name, 10.0) for name in NEEDS.names)
    return Case(event(), decision, keys, FeatureVector(row, (), (), NOW - 60_000, "online", "0@1"))


GONE = case(days_since_last_order=55.0)
THERE = case(days_since_last_order=1.0)


def answers(workflow: ChurnWorkflow, *cases: Case) -> list[Answer]:
    found = [answer for answer in workflow.infer(cases) if isinstance(answer, Answer)]
    assert len(found) == len(cases)
    return found


def test_who_has_been_away_for_long_is_more_likely_to_stay_away(workflow: ChurnWorkflow) -> None:
    gone, there = answers(workflow, GONE, THERE)
    assert confidence_of(gone.output) > 0.5 > confidence_of(there.output)
    assert (gone.output.label, there.output.label) == ("churns", "stays")
    assert there.output.decision == "leave"


def test_an_answer_says_over_which_horizon_and_by_which_thresholds(workflow: ChurnWorkflow) -> None:
    (answer,) = answers(workflow, GONE)
    assert answer.output.detail == ChurnDetail(HORIZON_DAYS, 0.5, 0.8)
    assert tuple(answer.features) == NEEDS.names
    assert answer.features["days_since_last_order"] == 55.0


def test_the_probability_is_the_calibrated_one(workflow: ChurnWorkflow, tmp_path: Path) -> None:
    plain = msgspec.structs.replace(CALIBRATED, slope=1.0, intercept=0.0)
    trees = (version(tmp_path / "trees") / TREES).read_bytes()
    path = version(tmp_path, {TREES: trees, CALIBRATION: msgspec.json.encode(plain)})
    (raw,), (calibrated,) = answers(ChurnWorkflow.load(load(path), THRESHOLDS), GONE), answers(workflow, GONE)
    assert log_odds(calibrated) == pytest.approx(1.5 * log_odds(raw) + 0.25)


def log_odds(answer: Answer) -> float:
    confidence = confidence_of(answer.output)
    return math.log(confidence / (1 - confidence))


def test_an_explanation_adds_up_to_the_calibrated_probability(workflow: ChurnWorkflow) -> None:
    plain, explained = answers(workflow, GONE, case(explain=True, days_since_last_order=55.0))
    assert plain.explanation is None
    assert explained.output == plain.output
    why = explained.explanation
    assert why is not None
    assert next(iter(why.contributions)) == "days_since_last_order"
    assert why.base + sum(why.contributions.values()) == pytest.approx(log_odds(explained), abs=1e-4)


def test_a_batch_gives_each_customer_the_answer_that_they_get_alone(workflow: ChurnWorkflow) -> None:
    cases = [case(days_since_last_order=float(days)) for days in range(0, 60, 7)]
    assert answers(workflow, *cases) == [answers(workflow, each)[0] for each in cases]
    assert workflow.infer([]) == []


def test_of_whom_nothing_is_known_is_said_what_holds_of_customers_in_general(workflow: ChurnWorkflow) -> None:
    answer = workflow.fall_back(GONE, "missing: days_since_last_order")
    assert (answer.output.confidence, answer.output.decision) == (0.6, "remind")
    assert (answer.features, answer.fallback) == ({}, "missing: days_since_last_order")


@pytest.mark.parametrize("event_type", ["customer.inactive", "support.ticket.resolved"])
def test_the_prediction_is_about_the_customer_whatever_happened(
    workflow: ChurnWorkflow, event_type: str
) -> None:
    happened = event(event_type, customer_id="c-9", ticket_id="s-1")
    assert workflow.entities(happened) == {"customer": EntityKey("acme", "customer", "c-9")}
    assert workflow.entity_id(happened) == "c-9"


def test_a_ticket_of_nobody_is_a_dead_letter(workflow: ChurnWorkflow) -> None:
    with pytest.raises(DeadLetter, match=r"payload\.customer_id must be a text") as failure:
        workflow.entities(event("support.ticket.resolved", ticket_id="s-1"))
    assert failure.value.cause == "missing_feature"


def test_a_version_without_a_calibration_is_broken(tmp_path: Path) -> None:
    trees = (version(tmp_path / "whole") / TREES).read_bytes()
    with pytest.raises(BrokenModelError, match=r"names no calibration\.json"):
        ChurnWorkflow.load(load(version(tmp_path, {TREES: trees})), THRESHOLDS)


def test_trees_of_other_columns_are_broken(tmp_path: Path) -> None:
    columns = tuple(reversed(NEEDS.names))
    with pytest.raises(BrokenModelError, match="columns that its metadata does not name"):
        ChurnWorkflow.load(load(version(tmp_path, columns=columns)), THRESHOLDS)


def test_reminding_comes_before_offering() -> None:
    decided = [THRESHOLDS.decide(probability) for probability in (0.0, 0.49, 0.5, 0.79, 0.8, 1.0)]
    assert decided == ["leave", "leave", "remind", "remind", "offer", "offer"]
