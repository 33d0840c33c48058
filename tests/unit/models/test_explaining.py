"""What a prediction says of how it came about, by a model that was really trained."""

import math
from dataclasses import replace

import msgspec
import pytest

from events.prediction import Explanation
from models.artifact import load
from models.fraud import FraudWorkflow
from models.fraud_features import FEATURES
from models.thresholds import Thresholds
from models.workflow import Answer, Case
from tests.outputs import confidence_of
from tests.unit.models.cases import NOTHING, case, order
from training.fraud import Trained


def asking(asked: Case) -> Case:
    """The same case, whose route asks for an explanation."""
    return replace(asked, decision=msgspec.structs.replace(asked.decision, explain=True))


@pytest.fixture(scope="module")
def workflow(trained: Trained) -> FraudWorkflow:
    return FraudWorkflow.load(load(trained.path), Thresholds(review_at=0.1, hold_at=0.6))


def answers(workflow: FraudWorkflow, *cases: Case) -> list[Answer]:
    found = [answer for answer in workflow.infer(cases) if isinstance(answer, Answer)]
    assert len(found) == len(cases)
    return found


def explained(workflow: FraudWorkflow, asked: Case) -> tuple[Answer, Explanation]:
    (answer,) = answers(workflow, asking(asked))
    assert answer.explanation is not None
    return answer, answer.explanation


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(case(), id="an order like most"),
        pytest.param(case(order(amount=900.0)), id="a large one"),
        pytest.param(case(features=NOTHING), id="of a customer whom nobody knows"),
    ],
)
def test_all_contributions_and_the_base_are_the_log_odds_of_the_confidence(
    workflow: FraudWorkflow, asked: Case
) -> None:
    answer, explanation = explained(workflow, asked)
    confidence = confidence_of(answer.output)
    told = explanation.base + sum(explanation.contributions.values())
    assert told == pytest.approx(math.log(confidence / (1 - confidence)), abs=1e-4)


def test_every_feature_is_told_the_weightiest_first(workflow: FraudWorkflow) -> None:
    _, explanation = explained(workflow, case(order(amount=900.0)))
    weights = [abs(each) for each in explanation.contributions.values()]
    assert weights == sorted(weights, reverse=True)
    assert set(explanation.contributions) == set(FEATURES)
    assert next(iter(explanation.contributions)) == "amount"


def test_only_who_asks_is_told_and_the_answer_is_the_same(workflow: FraudWorkflow) -> None:
    plain, asked, last = answers(workflow, case(), asking(case(order(amount=900.0))), case())
    assert (plain.explanation, last.explanation) == (None, None)
    assert asked.explanation is not None
    (alone,) = answers(workflow, case(order(amount=900.0)))
    assert asked.output == alone.output


def test_a_refused_order_shifts_nobody_elses_explanation(workflow: FraudWorkflow) -> None:
    first, _, last = workflow.infer(
        [asking(case()), asking(case(order(amount="much"))), asking(case(order(amount=900.0)))]
    )
    assert isinstance(first, Answer)
    assert isinstance(last, Answer)
    assert first.explanation == explained(workflow, case())[1]
    assert last.explanation == explained(workflow, case(order(amount=900.0)))[1]


def test_where_a_rule_answered_there_is_nothing_to_explain(workflow: FraudWorkflow) -> None:
    assert workflow.fall_back(asking(case()), "missing: customer_count_1d").explanation is None
