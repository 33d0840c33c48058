"""The lane record that an outcome belongs to."""

import pytest

from dispatcher.outcomes import settled
from events.decision import Position
from events.topics import PREDICTIONS
from transport.kafka import Headers

LANE = Position("ml.fraud.input.high", 3, 1_200)
HEADERS: Headers = [
    ("mine", b"1"),
    ("dlq.lane.topic", b"ml.fraud.input.high"),
    ("dlq.lane.partition", b"3"),
    ("dlq.lane.offset", b"1200"),
]
PREDICTION = (
    b'{"prediction_id":"p","lane":{"topic":"ml.fraud.input.high","partition":3,"offset":1200},"x":{}}'
)


@pytest.mark.parametrize(
    ("topic", "value", "headers", "lane"),
    [
        pytest.param(PREDICTIONS, PREDICTION, (), LANE, id="a prediction names its lane"),
        pytest.param(
            "ml.fraud.input.dlq", b"anything", HEADERS, LANE, id="a dead letter does in its headers"
        ),
        pytest.param(PREDICTIONS, b"{}", (), None, id="a prediction without one answers for nothing"),
        pytest.param(PREDICTIONS, b"\xff", (), None, id="nor does what is no prediction"),
        pytest.param(PREDICTIONS, None, (), None, id="nor a record without a value"),
        pytest.param("ml.fraud.input.dlq", PREDICTION, HEADERS[:3], None, id="an offset is missing"),
        pytest.param(
            "ml.fraud.input.dlq",
            None,
            [*HEADERS[:3], ("dlq.lane.offset", b"\xff")],
            None,
            id="an offset is no number",
        ),
        pytest.param(
            "ml.fraud.input.dlq",
            None,
            [*HEADERS[:3], ("dlq.lane.offset", None)],
            None,
            id="an offset is null",
        ),
    ],
)
def test_an_outcome_answers_for(
    topic: str, value: bytes | None, headers: Headers, lane: Position | None
) -> None:
    assert settled(topic, value, headers) == lane
