"""The answer to an event whose features the model must not be asked with."""

from collections.abc import Sequence

import msgspec
import pytest

from events.errors import DeadLetter
from features.keys import EntityKey
from features.reading import FeatureVector
from models.workflow import Answer, Case
from tasks.answering import answers
from tests.unit.models.cases import DECISION, order
from tests.unit.tasks.fakes import KNOWN, OUTPUT, Scripted

MISSING = msgspec.structs.replace(KNOWN, missing=("mean", "count"), reaction="fallback")
STALE = msgspec.structs.replace(KNOWN, missing=("mean",), stale=("risk",), reaction="refuse")
MODEL = Answer(OUTPUT, {"amount": 1.5})


def case(name: str, features: FeatureVector = KNOWN) -> Case:
    event = msgspec.structs.replace(order(), event_id=name)
    return Case(event, DECISION, {"customer": EntityKey("acme", "customer", name)}, features)


def test_what_is_missing_or_stale_and_may_be_is_the_models_own_business() -> None:
    workflow = Scripted()
    tolerated = msgspec.structs.replace(KNOWN, missing=("mean",), stale=("risk",))

    assert answers(workflow, [case("a", tolerated), case("b")]) == [MODEL, MODEL]
    assert workflow.seen == [["a", "b"]]


def test_the_model_is_asked_for_the_others_alone_and_each_answer_stands_in_its_place() -> None:
    workflow = Scripted({"d": DeadLetter("rejected", "never")})

    found = answers(workflow, [case("a", MISSING), case("b"), case("c", STALE), case("d")])

    assert workflow.seen == [["b", "d"]]
    assert found[0] == Answer(OUTPUT, {}, fallback="missing: mean, count")
    assert found[1] == MODEL
    assert isinstance(found[2], DeadLetter)
    assert found[3] is workflow.script["d"]


def test_a_refused_event_says_what_was_missing_and_what_was_stale() -> None:
    (refused,) = answers(Scripted(), [case("a", STALE)])

    assert isinstance(refused, DeadLetter)
    assert refused.cause == "missing_feature"
    assert str(refused) == "the model does not answer without its features: missing: mean; stale: risk"


def test_an_event_for_which_there_is_no_rule_either_is_given_up_alone() -> None:
    hopeless, fine = answers(Scripted(), [case("hopeless", MISSING), case("b")])

    assert isinstance(hopeless, DeadLetter)
    assert fine == MODEL


def test_a_model_that_nobody_may_ask_is_not_asked() -> None:
    workflow = Scripted()

    answers(workflow, [case("a", MISSING)])

    assert workflow.seen == []


def test_a_model_that_answers_for_some_cases_only_is_a_bug_and_no_event_gets_anothers_answer() -> None:
    class Short(Scripted):
        def infer(self, cases: Sequence[Case]) -> Sequence[Answer]:
            return [MODEL]

    with pytest.raises(ValueError, match="shorter"):
        answers(Short(), [case("a"), case("b"), case("c", MISSING)])
