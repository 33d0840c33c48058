"""The fraud workflow with a model that was really trained."""

import contextlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightgbm
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.errors import DeadLetter
from events.prediction import FraudDetail
from features.contract import Contract, Need
from features.keys import EntityKey
from features.reading import FeatureVector
from features.retail import DEFINITIONS
from models.artifact import METADATA_FILE, Artifact, BrokenModelError, Metadata, load
from models.fraud import FraudWorkflow
from models.fraud_features import FEATURE_HASH, FEATURES, NEEDS, ORDER_FEATURES
from models.thresholds import Thresholds
from models.trees import TREES
from models.workflow import Answer, Case, Workflow
from tests.outputs import confidence_of
from tests.unit.models.cases import NOTHING, STORED_VALUES, case, order, vector
from training.fraud import Trained

THRESHOLDS = Thresholds(review_at=0.1, hold_at=0.6)
DAYS = {"1d": 1.0, "7d": 7.0, "30d": 30.0}


def windows(entity: str, name: str, **by_window: float) -> dict[str, float]:
    """Two orders a day, and one more value for each window."""
    counts = {f"{entity}_count_{window}": 2 * days for window, days in DAYS.items()}
    return counts | {f"{entity}_{name}_{window}": by_window[window] for window in DAYS}


USUAL = windows("customer", "mean_amount", **{"1d": 57, "7d": 57, "30d": 57})
CALM = vector(USUAL | windows("terminal", "risk", **{"1d": 0, "7d": 0, "30d": 0}))
# compromised for seventeen days: nothing is known yet of the last seven
NOTORIOUS = vector(USUAL | windows("terminal", "risk", **{"1d": 1, "7d": 1, "30d": 0.33}))


@pytest.fixture(scope="module")
def workflow(trained: Trained) -> FraudWorkflow:
    return FraudWorkflow.load(load(trained.path), THRESHOLDS)


def answer_of(workflow: Workflow, asked: Case) -> Answer:
    (answer,) = workflow.infer([asked])
    assert isinstance(answer, Answer)
    return answer


def test_it_is_the_version_that_was_trained(workflow: FraudWorkflow, trained: Trained) -> None:
    version = workflow.version
    assert version.model_id == "fraud-classifier-v1"
    assert (version.version, version.digest) == ("1", trained.metadata.digest)
    assert version.feature_hash == FEATURE_HASH


def test_an_answer_says_what_the_model_saw_and_by_which_thresholds(workflow: FraudWorkflow) -> None:
    answer = answer_of(workflow, case())
    assert tuple(answer.features) == FEATURES
    assert answer.features["amount"] == 57.16
    assert {name: answer.features[name] for name in FEATURES[3:]} == STORED_VALUES
    assert answer.fallback is None
    assert answer.output.detail == FraudDetail(0.1, 0.6)
    assert 0 < confidence_of(answer.output) < 1


def test_a_compromised_terminal_has_its_orders_held_a_calm_one_approved(
    workflow: FraudWorkflow,
) -> None:
    held = answer_of(workflow, case(features=NOTORIOUS)).output
    approved = answer_of(workflow, case(features=CALM)).output
    assert (held.label, held.decision) == ("fraud", "hold")
    assert (approved.label, approved.decision) == ("legitimate", "approve")


def test_a_customer_and_a_terminal_nobody_knows_still_get_an_answer(workflow: FraudWorkflow) -> None:
    answer = answer_of(workflow, case(features=NOTHING))
    assert 0 < confidence_of(answer.output) < 1
    assert {answer.features[name] for name in FEATURES[3:]} == {0.0}


def test_a_batch_gives_each_order_the_answer_that_it_gets_alone(workflow: FraudWorkflow) -> None:
    cases = [
        case(order(amount=float(amount)), features)
        for amount in (1, 50, 250, 1_000)
        for features in (CALM, NOTORIOUS, NOTHING)
    ]
    assert list(workflow.infer(cases)) == [answer_of(workflow, asked) for asked in cases]
    assert len({answer_of(workflow, asked).output.confidence for asked in cases}) > 2


def test_a_bad_order_is_refused_alone(workflow: FraudWorkflow) -> None:
    first, bad, last = workflow.infer([case(), case(order(amount="much")), case()])
    assert isinstance(bad, DeadLetter)
    assert first == last == answer_of(workflow, case())


@pytest.mark.parametrize(
    ("amount", "decision"),
    [
        pytest.param(219.99, "approve", id="an order as most are"),
        pytest.param(220, "review", id="a large one is looked at"),
        pytest.param(1e12, "review", id="none is held without the model"),
    ],
)
def test_without_its_features_an_order_is_decided_on_by_its_amount_and_says_so(
    workflow: FraudWorkflow, amount: float, decision: str
) -> None:
    answer = workflow.fall_back(case(order(amount=amount), NOTHING), "missing: customer_count_1d")
    assert answer.output.decision == decision
    assert (answer.features, answer.fallback) == ({"amount": amount}, "missing: customer_count_1d")


def test_without_an_amount_there_is_no_rule_either(workflow: FraudWorkflow) -> None:
    with pytest.raises(DeadLetter, match=r"payload\.amount must be a number") as failure:
        workflow.fall_back(case(order(amount="much")), "stale: terminal_risk_1d")
    assert failure.value.cause == "missing_feature"


def test_nothing_asked_is_nothing_answered(workflow: FraudWorkflow) -> None:
    assert workflow.infer([]) == []


def test_an_order_names_its_customer_its_terminal_and_itself(workflow: FraudWorkflow) -> None:
    assert workflow.entities(order()) == {
        "customer": EntityKey("acme", "customer", "c-1"),
        "terminal": EntityKey("acme", "terminal", "t-1"),
    }
    assert workflow.entity_id(order()) == "o-1"


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        pytest.param({"customer_id": None}, "customer_id", id="no customer"),
        pytest.param({"customer_id": ""}, "customer_id", id="a customer without a name"),
        pytest.param({"terminal_id": 7}, "terminal_id", id="a number for a terminal"),
    ],
)
def test_an_order_that_names_no_entity_is_a_dead_letter(
    workflow: FraudWorkflow, payload: Mapping[str, Any], field: str
) -> None:
    with pytest.raises(DeadLetter, match=rf"payload\.{field} must be a text") as failure:
        workflow.entities(order(**payload))
    assert failure.value.cause == "missing_feature"


def rewritten(trained: Trained, folder: Path, trees: bytes | None = None, **recipe: object) -> Artifact:
    """Another version with a digest that holds."""
    metadata = trained.metadata
    changed = msgspec.structs.replace(metadata.recipe, **recipe)
    files = {TREES: (trained.path / TREES).read_bytes() if trees is None else trees}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / METADATA_FILE).write_bytes(Metadata.of(files, changed, metadata.provenance).encode())
    return load(folder)


SKU_NEED = Need("demand_7d")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(
            {"feature_hash": "0123456789ab"},
            f"trained on the features 0123456789ab, this code serves {FEATURE_HASH}",
            id="features that were defined otherwise then",
        ),
        pytest.param(
            {"needs": (*NEEDS.needs, Need("customer_shoe_size"))},
            "its features are not those of this code: customer_shoe_size no such feature",
            id="a feature that is defined no more",
        ),
        pytest.param(
            {
                "needs": (SKU_NEED,),
                "feature_hash": Contract.of(DEFINITIONS, (SKU_NEED,), ORDER_FEATURES).hash,
            },
            "its feature demand_7d is of a sku, whom its events do not name",
            id="a feature of somebody whom an order does not name",
        ),
        pytest.param({"trees": b"no trees at all"}, "LightGBM cannot read its trees", id="no trees"),
    ],
)
def test_a_version_that_cannot_be_served_is_refused_with_the_reason(
    trained: Trained, tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BrokenModelError, match=reason):
        FraudWorkflow.load(rewritten(trained, tmp_path, **change), THRESHOLDS)


def test_a_version_with_other_features_of_the_store_asks_for_those_and_no_code_changes(
    trained: Trained, tmp_path: Path
) -> None:
    fewer = Contract.of(DEFINITIONS, [Need("terminal_risk_7d", on_missing="refuse")], payload=["amount"])
    rows = np.array([[10.0, 0.0], [20.0, 1.0]] * 50)
    booster = lightgbm.train(
        {"objective": "binary", "num_threads": 1, "verbosity": -1},
        lightgbm.Dataset(rows, rows[:, 1], feature_name=list(fewer.names)),
        num_boost_round=5,
    )
    artifact = rewritten(
        trained,
        tmp_path,
        booster.model_to_string().encode(),
        needs=fewer.needs,
        payload=fewer.payload,
        feature_hash=fewer.hash,
    )
    workflow = FraudWorkflow.load(artifact, THRESHOLDS)
    assert workflow.needs == fewer
    assert workflow.version.feature_hash == fewer.hash
    features = FeatureVector((1.0,), (), (), None, "online", "")
    answer = answer_of(workflow, case(features=features))
    assert answer.features == {"amount": 57.16, "terminal_risk_7d": 1.0}
    assert confidence_of(answer.output) > 0.5


@pytest.mark.parametrize("module", ["events", "routing", "dispatcher", "models.fraud", "features.tiered"])
def test_importing_loads_no_model_library(module: str) -> None:
    # a parent that forks workers must not hold LightGBM's threads; a dispatcher never needs it
    probe = f"import sys, {module}; sys.exit('lightgbm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.lists(st.integers(), max_size=2)
)
FIELDS = st.sampled_from(["order_id", "customer_id", "terminal_id", "amount", "currency"])


@given(st.dictionaries(FIELDS, ANYTHING))
def test_whatever_a_payload_holds_is_answered_or_refused_alone(
    workflow: FraudWorkflow, payload: dict[str, Any]
) -> None:
    event = msgspec.structs.replace(order(), payload=payload)
    first, answer, last = workflow.infer([case(), case(event), case()])
    assert isinstance(answer, Answer | DeadLetter)
    assert first == last
    for name in (workflow.entities, workflow.entity_id):
        with contextlib.suppress(DeadLetter):
            name(event)
