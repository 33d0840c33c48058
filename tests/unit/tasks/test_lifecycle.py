"""The outcomes of a lane's records."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.deadletter import DeadLetterHeaders
from events.decision import Position, dead_letter_topic
from events.errors import DeadLetter, Retry, Unavailable
from events.lane import Batch, Original
from events.prediction import Explanation, FraudDetail, Output, decode_prediction
from events.topics import PREDICTIONS
from features.keys import EntityKey
from features.reading import Asked, FeatureVector
from models.workflow import Answer
from tasks.lifecycle import Lifecycle
from tasks.outcomes import Outcomes
from tests.unit.tasks.fakes import KNOWN, NOW, OUTPUT, QUEUE, Scripted, Store, batch_of, broken, event, fed


def lifecycle(workflow: Scripted, store: Store | None = None) -> Lifecycle:
    """Half a second in the model, always."""
    ticks = iter(range(100))
    return Lifecycle(workflow, store or Store(), lambda: NOW, "1.2.3", lambda: next(ticks) / 2)


def letters(outcomes: Outcomes) -> list[DeadLetterHeaders]:
    """What is said of those that were given up."""
    return [
        DeadLetterHeaders.parse(record.headers) for record in outcomes.records if record.topic != PREDICTIONS
    ]


def test_each_event_has_a_prediction_under_its_own_id_in_the_order_of_the_batch() -> None:
    outcomes = lifecycle(Scripted()).decide(batch_of("a", "b", "c"), QUEUE, 0)

    assert [record.topic for record in outcomes.records] == [PREDICTIONS] * 3
    assert [record.key for record in outcomes.records] == [b"pred_a", b"pred_b", b"pred_c"]


def test_a_prediction_carries_all_that_it_rests_on() -> None:
    why = Explanation(-2.0, {"amount": 0.9})
    workflow = Scripted({"a": Answer(OUTPUT, {"amount": 12.5}, fallback="rules", explanation=why)})
    vector = FeatureVector((2.0,), ("velocity",), ("mean",), NOW - 60_000, "offline", "0@1234 1@1500")
    store = Store({"a": vector})

    outcomes = lifecycle(workflow, store).decide(batch_of("a", "b"), QUEUE, retries=2)

    prediction = decode_prediction(outcomes.records[0].value or b"")
    assert msgspec.structs.asdict(prediction) == {
        "prediction_id": "pred_a",
        "model_id": "scripted-v7",
        "source_event_id": "a",
        "entity_id": "order-a",
        "output": OUTPUT,
        "latency_ms": 40.0,
        "feature_version": "2027-01-15T07:59:00.000+00:00",
        "predicted_at": "2027-01-15T08:00:00.000+00:00",
        "tenant_id": "acme",
        "event_type": "order.placed",
        "occurred_at": NOW - 500,
        "workflow": "scripted",
        "queue": QUEUE,
        "priority": "high",
        "arm": "champion",
        "bucket": None,
        "propensity": 1.0,
        "rule": "order.placed[0]",
        "table_hash": "abcdefabcdef",
        "model_version": "7",
        "model_digest": "0" * 64,
        "code_version": "1.2.3",
        "features": {"amount": 12.5},
        "feature_hash": "f00d",
        "missing": ("velocity",),
        "stale": ("mean",),
        "feature_keys": {"customer": "a"},
        "feature_origin": "offline",
        "feature_position": "0@1234 1@1500",
        "inference_ms": 250.0,
        "sla_ms": 100,
        "deadline": NOW + 60,
        "fed_at": NOW - 10,
        "attempts": 3,
        "source": Position("retail.events", 1, 70),
        "lane": Position("ml.test.input.high", 3, 1_200),
        "fallback": "rules",
        "explanation": why,
        "traceparent": None,
    }


def test_without_stored_features_the_event_itself_is_the_oldest_data() -> None:
    store = Store({"a": msgspec.structs.replace(KNOWN, data_time=None)})

    outcomes = lifecycle(Scripted(), store).decide(batch_of("a"), QUEUE, 0)

    assert decode_prediction(outcomes.records[0].value or b"").feature_version.endswith("07:59:59.500+00:00")


def test_the_features_of_a_whole_batch_are_asked_for_at_once_as_of_each_events_own_time() -> None:
    store = Store()

    lifecycle(Scripted(), store).decide(batch_of("a", "b"), QUEUE, 0)

    # an event happened when it says, and entered Kafka its promised time before its deadline
    assert store.calls == [
        [
            Asked({"customer": EntityKey("acme", "customer", name)}, at=NOW - 500, entered_at=NOW - 40)
            for name in ("a", "b")
        ]
    ]


def test_features_reach_the_case_that_they_belong_to() -> None:
    other = msgspec.structs.replace(KNOWN, values=(7.0,))
    workflow = Scripted()

    lifecycle(workflow, Store({"b": other})).decide(batch_of("a", "b"), QUEUE, 0)

    assert [case.features for case in workflow.cases] == [KNOWN, other]


def test_an_answer_that_was_begun_before_is_recorded_with_what_was_read_then() -> None:
    then = msgspec.structs.replace(
        KNOWN, position="0@3", missing=("velocity",), stale=("mean",), origin="offline"
    )
    workflow = Scripted({"a": Answer(OUTPUT, {"amount": 12.5}, read=then)})

    outcomes = lifecycle(workflow).decide(batch_of("a"), QUEUE, 0)

    value = msgspec.json.decode(outcomes.records[0].value or b"")
    told = [value[name] for name in ("feature_position", "missing", "stale", "feature_origin")]
    assert told == ["0@3", ["velocity"], ["mean"], "offline"]


def test_features_from_the_online_tier_are_not_marked_in_the_record() -> None:
    outcomes = lifecycle(Scripted()).decide(batch_of("a"), QUEUE, 0)

    value = msgspec.json.decode(outcomes.records[0].value or b"")
    assert value.keys().isdisjoint({"feature_origin", "missing", "stale"})
    assert value["feature_position"] == "0@70"


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        pytest.param(DeadLetter("missing_feature", "no amount"), "missing_feature", id="refused"),
        pytest.param(
            Answer(Output("x", 1.5, "y", FraudDetail(0, 1)), {}), "invalid_output", id="no share of 1"
        ),
        pytest.param(
            Answer(Output("x", float("nan"), "y", FraudDetail(0, 1)), {}), "invalid_output", id="no number"
        ),
        pytest.param(Answer(OUTPUT, {"x": object()}), "invalid_output", id="no JSON"),  # type: ignore[dict-item]
    ],
)
def test_a_bad_event_is_given_up_alone(script: Any, cause: str) -> None:
    outcomes = lifecycle(Scripted({"b": script})).decide(batch_of("a", "b", "c"), QUEUE, 0)

    assert [record.topic for record in outcomes.records].count(PREDICTIONS) == 2
    assert [letter.cause for letter in letters(outcomes)] == [cause]
    assert outcomes.given_up == {cause: 1}


def test_a_broken_record_is_given_up_alone_as_it_stands_in_the_lane() -> None:
    outcomes = lifecycle(Scripted()).decide(Batch(NOW, (broken(), fed("a"))), QUEUE, 0)

    letter = letters(outcomes)[0]
    assert outcomes.records[0].value == b'"?"'
    assert (letter.cause, letter.original, letter.lane) == (
        "undecodable",
        Position("ml.test.input.high", 3, 1_209),
        Position("ml.test.input.high", 3, 1_209),
    )
    assert outcomes.records[1].topic == PREDICTIONS


def test_an_event_that_names_nobody_is_given_up_before_the_store_is_asked() -> None:
    store = Store()

    outcomes = lifecycle(Scripted(), store).decide(batch_of("nobody"), QUEUE, 0)

    assert outcomes.given_up == {"missing_feature": 1}
    assert store.calls == []


def test_a_dead_letter_carries_the_original_and_what_became_of_it() -> None:
    workflow = Scripted({"a": DeadLetter("rejected", "never")})
    batch = batch_of("a", first_failure=NOW - 9_000)

    outcomes = lifecycle(workflow).decide(batch, QUEUE, retries=2)

    record, letter = outcomes.records[0], letters(outcomes)[0]
    assert record.topic == dead_letter_topic(QUEUE)
    assert record.key == b"a"
    assert record.value == msgspec.json.encode(event("a", customer_id="a"))
    assert letter.original == Position("retail.events", 1, 70)
    assert letter.timestamp == NOW - 40
    assert (letter.attempts, letter.first_failure, letter.last_failure) == (3, NOW - 9_000, NOW)
    assert (letter.error_class, letter.message) == ("DeadLetter", "never")
    assert (letter.prediction_id, letter.table_hash) == ("pred_a", "abcdefabcdef")


def test_an_event_that_came_in_another_form_is_given_up_in_that_form() -> None:
    original = Original(b"<xml/>", (("content-type", b"text/xml"),))
    batch = Batch(NOW, (fed("a", original=original),))

    outcomes = lifecycle(Scripted({"a": DeadLetter("rejected", "never")})).decide(batch, QUEUE, 0)

    assert outcomes.records[0].value == b"<xml/>"
    assert ("content-type", b"text/xml") in outcomes.records[0].headers


@pytest.mark.parametrize(
    ("retries", "again", "given_up"),
    [
        pytest.param(0, ["b"], {}, id="the first failure is tried again"),
        pytest.param(3, [], {"retries_exhausted": 1}, id="the last is not"),
    ],
)
def test_only_what_failed_is_tried_again(retries: int, again: list[str], given_up: dict[str, int]) -> None:
    batch = batch_of("a", "b")

    outcomes = lifecycle(Scripted({"b": Retry("not yet")})).decide(batch, QUEUE, retries)

    assert [record.key for record in outcomes.again] == [name.encode() for name in again]
    assert outcomes.given_up == given_up
    assert outcomes.records[0].key == b"pred_a"


def test_a_route_decides_on_retries_and_their_pause() -> None:
    batch = Batch(NOW, (fed("a", max_retries=7, backoff_ms=250), fed("b", max_retries=1, backoff_ms=100)))

    outcomes = lifecycle(Scripted({"a": Retry("x"), "b": Retry("y")})).decide(batch, QUEUE, retries=1)

    assert [record.key for record in outcomes.again] == [b"a"]
    assert (outcomes.max_retries, outcomes.backoff) == (7, 250)
    assert outcomes.given_up == {"retries_exhausted": 1}


def test_an_event_whose_dependency_is_down_waits_and_the_rest_goes_on() -> None:
    outcomes = lifecycle(Scripted({"a": Unavailable("llm", "busy")})).decide(batch_of("a", "b"), QUEUE, 9)

    assert [record.key for record in outcomes.waiting] == [b"a"]
    assert outcomes.down is not None
    assert [record.key for record in outcomes.records] == [b"pred_b"]


@pytest.mark.parametrize("error", [Unavailable("redis"), Retry("a leader election"), ZeroDivisionError()])
def test_what_meets_the_whole_batch_is_its_callers_business(error: Exception) -> None:
    with pytest.raises(type(error)):
        lifecycle(Scripted(raises=[error])).decide(batch_of("a", "b"), QUEUE, 0)


def test_a_model_that_answers_for_some_cases_only_is_a_bug_and_no_event_gets_anothers_answer() -> None:
    class Short(Scripted):
        def infer(self, cases: Any) -> Any:
            return super().infer(cases)[1:]

    with pytest.raises(ValueError, match="shorter"):
        lifecycle(Short()).decide(batch_of("a", "b"), QUEUE, 0)


@given(
    st.lists(
        st.sampled_from(["answer", "retry", "refuse", "wait", "broken", "nobody"]), min_size=1, max_size=40
    ),
    st.integers(0, 5),
)
def test_every_event_is_in_exactly_one_place(kinds: list[str], retries: int) -> None:
    reactions = {"retry": Retry("x"), "refuse": DeadLetter("rejected", "x"), "wait": Unavailable("x")}
    script: dict[str, Any] = {
        f"e{number}": reactions[kind] for number, kind in enumerate(kinds) if kind in reactions
    }
    records = tuple(
        broken(number) if kind == "broken" else fed("nobody" if kind == "nobody" else f"e{number}", number)
        for number, kind in enumerate(kinds)
    )

    outcomes = lifecycle(Scripted(script)).decide(Batch(NOW, records), QUEUE, retries)

    predicted = [decode_prediction(r.value or b"").lane for r in outcomes.records if r.topic == PREDICTIONS]
    given_up = [letter.lane for letter in letters(outcomes)]
    kept = [record.lane for record in (*outcomes.again, *outcomes.waiting)]
    assert sorted(map(str, (*predicted, *given_up, *kept))) == sorted(str(record.lane) for record in records)
