"""The time a record entered Kafka. No producer's clock makes it later than now."""

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME, TIMESTAMP_NOT_AVAILABLE, Message

from events.contract import DAY_MS
from features.pipeline.source import record_of
from tests.unit.features.pipeline.events import NOON


@pytest.mark.parametrize(
    ("timestamp", "entered_at"),
    [
        pytest.param((TIMESTAMP_CREATE_TIME, NOON - 5), NOON - 5, id="as its producer says"),
        pytest.param((TIMESTAMP_LOG_APPEND_TIME, NOON - 5), NOON - 5, id="as the broker says"),
        pytest.param((TIMESTAMP_CREATE_TIME, NOON + 30 * DAY_MS), NOON, id="by a clock that is ahead: now"),
        pytest.param((TIMESTAMP_NOT_AVAILABLE, -1), NOON, id="it does not say: now"),
        pytest.param((TIMESTAMP_CREATE_TIME, NOON // 1_000), NOON, id="in seconds: now"),
        pytest.param((TIMESTAMP_CREATE_TIME, NOON * 1_000), NOON, id="in microseconds: now"),
        pytest.param((TIMESTAMP_CREATE_TIME, 2**63 - 1), NOON, id="as late as can be: now"),
    ],
)
def test_a_record_came_before_it_was_read(timestamp: tuple[int, int], entered_at: int) -> None:
    message = Message(topic="events", partition=3, offset=7, value=b"{}", timestamp=timestamp)
    record = record_of(message, NOON)
    assert (record.offset, record.entered_at, record.value) == (7, entered_at, b"{}")
