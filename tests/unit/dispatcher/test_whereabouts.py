"""The report of `signalbox where` on an event."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from dispatcher.whereabouts import GivenUp, InLane, InSource, Predicted, Sighting, Unrouted, account
from events.deadletter import DeadLetterHeaders
from events.decision import Decision, Position
from events.envelope import Envelope
from events.lane import LaneRecord
from events.prediction import FraudDetail, Output, Prediction
from events.priority import Priority

AT = 1_700_000_000_000
SOURCE = Position("retail.events", 2, 77)
LANE = Position("ml.fraud.input.high", 3, 1_200)
EVENT = Envelope(
    event_id="e-1",
    event_type="order.placed",
    source="till",
    version="1.0.0",
    occurred_at=AT,
    tenant_id="acme",
    payload={},
)
DECISION = Decision(
    prediction_id="pred_1",
    workflow="fraud-classifier",
    queue="ml.fraud.input",
    priority=Priority.HIGH,
    rule="order.placed[0]",
    table_hash="0123456789ab",
    sla_ms=100,
    deadline=AT + 100,
    source=SOURCE,
)
IN_SOURCE = InSource(SOURCE, AT, EVENT)


def in_lane(ahead: int | None) -> InLane:
    return InLane(LANE, LaneRecord(EVENT, DECISION), ahead)


def predicted(offset: int, attempts: int = 1) -> Predicted:
    prediction = Prediction(
        prediction_id="pred_1",
        model_id="fraud-classifier-v3",
        source_event_id="e-1",
        entity_id="o-1",
        output=Output("legitimate", 0.03, "approve", FraudDetail(0.5, 0.9)),
        latency_ms=12.4,
        feature_version="",
        predicted_at="",
        tenant_id="acme",
        event_type="order.placed",
        occurred_at=AT,
        workflow="fraud-classifier",
        queue="ml.fraud.input",
        priority=Priority.HIGH,
        arm="champion",
        rule="order.placed[0]",
        table_hash="0123456789ab",
        model_version="3",
        model_digest="",
        code_version="",
        features={},
        feature_hash="",
        inference_ms=0.1,
        sla_ms=100,
        deadline=AT + 100,
        fed_at=AT + 5,
        attempts=attempts,
        source=SOURCE,
        lane=LANE,
    )
    return Predicted(Position("ml.predictions", 0, offset), prediction)


def given_up(lane: Position | None) -> GivenUp:
    letter = DeadLetterHeaders(
        original=SOURCE,
        timestamp=AT,
        cause="retries_exhausted",
        error_class="Unavailable",
        message="the store is away",
        fingerprint="",
        attempts=4,
        first_failure=AT,
        last_failure=AT + 7_000,
        lane=lane,
    )
    return GivenUp(Position("ml.fraud.input.dlq", 0, 9), letter)


ENTERED = "retail.events[2]@77: order.placed 1.0.0 from till for acme, entered 2023-11-14 22:13:20.000+00:00"
DECIDED = (
    "  ml.fraud.input.high[3]@1200: for fraud-classifier by order.placed[0] of table 0123456789ab,"
    " due 2023-11-14 22:13:20.100+00:00"
)
APPROVED = (
    "    ml.predictions[0]@4: approve (legitimate, 0.030) by fraud-classifier-v3,"
    " fed 2023-11-14 22:13:20.005+00:00, not retried, 12 ms after it entered"
)
DEAD = (
    "    ml.fraud.input.dlq[0]@9: dead letter, retries_exhausted at 2023-11-14 22:13:27.000+00:00,"
    " retried 3 times: the store is away"
)


@pytest.mark.parametrize(
    ("sightings", "lines"),
    [
        pytest.param([], ["e-1 stands in none of the logs that were read"], id="nobody has seen it"),
        pytest.param([IN_SOURCE], [ENTERED], id="it is not routed yet, or wakes nobody"),
        pytest.param(
            [IN_SOURCE, in_lane(1_204)],
            [ENTERED, DECIDED, "    waits behind 1,204 others"],
            id="it waits in its lane",
        ),
        pytest.param([in_lane(0)], [DECIDED, "    waits, and is the next to be fed"], id="it is next"),
        pytest.param(
            [in_lane(None)],
            [
                DECIDED,
                "    was fed, and has no outcome yet; 2 tasks of its queue are held back for a retry now",
            ],
            id="a worker has it",
        ),
        pytest.param([in_lane(None), predicted(4)], [DECIDED, APPROVED], id="it was decided on"),
        pytest.param(
            [in_lane(None), predicted(4), predicted(8)],
            [
                DECIDED,
                APPROVED,
                APPROVED.replace("[0]@4", "[0]@8") + " (once more: the first one stands)",
            ],
            id="it was decided on twice",
        ),
        pytest.param([in_lane(None), given_up(LANE)], [DECIDED, DEAD], id="it was given up"),
        pytest.param([given_up(LANE)], [DEAD], id="the lane has forgotten it, the dead letters have not"),
        pytest.param([given_up(None)], [DEAD], id="it never came to a lane"),
        pytest.param(
            [InSource(SOURCE, AT, None)],
            ["retail.events[2]@77: cannot be read, entered 2023-11-14 22:13:20.000+00:00"],
            id="it is no event",
        ),
        pytest.param(
            [Unrouted(Position("retail.events.unrouted", 0, 1))],
            ["  retail.events.unrouted[0]@1: unrouted, nobody declared its type"],
            id="nobody declared its type",
        ),
    ],
)
def test_the_account(sightings: Sequence[Sighting], lines: list[str]) -> None:
    assert list(account("e-1", sightings, {"ml.fraud.input": 2})) == lines


def test_two_letters_of_two_records_repeat_nothing() -> None:
    first, second = given_up(None), given_up(None)
    other = replace(second.letter, original=Position("retail.events", 2, 78))
    lines = list(account("e-1", [first, GivenUp(second.position, other)], {}))
    assert not any("once more" in line for line in lines)
    assert any("once more" in line for line in account("e-1", [first, second], {}))
