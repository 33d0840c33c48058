"""Nothing that a record does to the router's own code stops the records after it."""

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME, Message

from dispatcher import sorting
from dispatcher.intake import take_in
from events import accepting
from events.deadletter import DeadLetterHeaders
from events.envelope import Envelope
from events.errors import Unavailable
from tests.unit.dispatcher.test_sorting import ENTERED, NOW, SOURCE, TABLE, event


def message(timestamp: int = ENTERED) -> Message:
    return Message(
        topic=SOURCE.topic,
        partition=SOURCE.partition,
        offset=SOURCE.offset,
        value=event(),
        key=b"c-1",
        timestamp=(TIMESTAMP_CREATE_TIME, timestamp),
    )


@pytest.mark.parametrize("error", [RuntimeError("a bug"), MemoryError(), RecursionError(), SystemError()])
def test_what_our_own_code_raises_makes_a_dead_letter_of_that_record(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(accepting, "validate", raising(error))
    taken = take_in(message(), TABLE, NOW)
    (write,) = taken.writes
    said = DeadLetterHeaders.parse(write.headers)
    assert (taken.fate, said.cause, said.original) == ("dead_letter", "unexpected", SOURCE)
    assert type(error).__name__ in said.message
    assert (write.value, write.key) == (event(), b"c-1")
    assert str(SOURCE) in caplog.text
    assert "Traceback" in caplog.text


def test_an_outage_is_no_property_of_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accepting, "validate", raising(Unavailable("schema registry")))
    with pytest.raises(Unavailable):
        take_in(message(), TABLE, NOW)


@pytest.mark.parametrize(
    "timestamp", [-(2**63), -1, 0, ENTERED // 1_000, NOW + 1, ENTERED * 1_000, 2**63 - 1]
)
def test_a_time_of_entry_that_cannot_be_is_the_time_of_reading(timestamp: int) -> None:
    (write,) = take_in(message(timestamp), TABLE, NOW).writes
    waiting = sorting._decode_waiting(write.value or b"")
    assert waiting.decision.deadline == NOW + waiting.decision.sla_ms


def raising(error: Exception) -> object:
    def fail(_event: Envelope) -> None:
        raise error

    return fail
