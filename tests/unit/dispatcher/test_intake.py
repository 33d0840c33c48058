"""Nothing that a record does to the router's own code stops the records after it."""

import pytest

from dispatcher import sorting
from dispatcher.intake import take_in
from events.deadletter import DeadLetterHeaders
from events.envelope import Envelope
from events.errors import Unavailable
from tests.unit.dispatcher.test_sorting import ENTERED, NOW, SOURCE, TABLE, event


class Message:
    """A record as the client gives it."""

    def __init__(self, timestamp: int = ENTERED) -> None:
        self._timestamp = timestamp

    def topic(self) -> str:
        return SOURCE.topic

    def partition(self) -> int:
        return SOURCE.partition

    def offset(self) -> int:
        return SOURCE.offset

    def timestamp(self) -> tuple[int, int]:
        return (1, self._timestamp)

    def key(self) -> bytes:
        return b"c-1"

    def value(self) -> bytes:
        return event()

    def headers(self) -> None:
        return None


@pytest.mark.parametrize("error", [RuntimeError("a bug"), MemoryError(), RecursionError(), SystemError()])
def test_what_our_own_code_raises_makes_a_dead_letter_of_that_record(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sorting, "validate", raising(error))
    taken = take_in(Message(), TABLE, NOW)  # type: ignore[arg-type]  # as much of a message as is asked for
    (write,) = taken.writes
    said = DeadLetterHeaders.parse(write.headers)
    assert (taken.fate, said.cause, said.original) == ("dead_letter", "unexpected", SOURCE)
    assert type(error).__name__ in said.message
    assert (write.value, write.key) == (event(), b"c-1")
    assert str(SOURCE) in caplog.text
    assert "Traceback" in caplog.text


def test_an_outage_is_no_property_of_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "validate", raising(Unavailable("schema registry")))
    with pytest.raises(Unavailable):
        take_in(Message(), TABLE, NOW)  # type: ignore[arg-type]  # as much of a message as is asked for


@pytest.mark.parametrize(
    "timestamp", [-(2**63), -1, 0, ENTERED // 1_000, NOW + 1, ENTERED * 1_000, 2**63 - 1]
)
def test_a_time_of_entry_that_cannot_be_is_the_time_of_reading(timestamp: int) -> None:
    (write,) = take_in(Message(timestamp), TABLE, NOW).writes  # type: ignore[arg-type]  # as above
    waiting = sorting._decode_waiting(write.value or b"")
    assert waiting.decision.deadline == NOW + waiting.decision.sla_ms


def raising(error: Exception) -> object:
    def fail(_event: Envelope) -> None:
        raise error

    return fail
