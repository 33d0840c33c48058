"""What a dead letter says, and what it leaves untouched."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.deadletter import DeadLetterHeaders, Letter, dead_letter, fingerprint
from events.decision import Position
from events.errors import CAUSES, DeadLetter, Retry

SOURCE = Position("retail.events", 3, 1_200)
LANE = Position("ml.fraud.input.high", 1, 77)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def letter(**changes: Any) -> Letter:
    said: dict[str, Any] = {
        "source": SOURCE,
        "timestamp": 1_000,
        "value": b"\x00\xffbytes",
        "key": b"c-17",
        "headers": [("x-shop", b"7"), ("x-none", None)],
        "error": DeadLetter("invalid_payload", "payload.amount is missing"),
        "cause": "invalid_payload",
        "attempts": 1,
        "first_failure": 2_000,
        "last_failure": 3_000,
    }
    return dead_letter(**{**said, **changes})


def test_the_original_is_untouched() -> None:
    written = letter()
    assert written.value == b"\x00\xffbytes"
    assert written.key == b"c-17"
    assert written.headers[:2] == (("x-shop", b"7"), ("x-none", None))


def test_every_header_has_its_name() -> None:
    written = letter(table_hash="abc", traceparent=TRACE, lane=LANE, prediction_id="pred_1")
    assert dict(written.headers) == {
        "x-shop": b"7",
        "x-none": None,
        "dlq.original.topic": b"retail.events",
        "dlq.original.partition": b"3",
        "dlq.original.offset": b"1200",
        "dlq.original.timestamp": b"1000",
        "dlq.error.class": b"DeadLetter",
        "dlq.error.cause": b"invalid_payload",
        "dlq.error.message": b"payload.amount is missing",
        "dlq.error.fingerprint": fingerprint(
            "DeadLetter", "invalid_payload", "payload.amount is missing"
        ).encode(),
        "dlq.attempts": b"1",
        "dlq.first_failure": b"2000",
        "dlq.last_failure": b"3000",
        "dlq.table_hash": b"abc",
        "dlq.lane.topic": b"ml.fraud.input.high",
        "dlq.lane.partition": b"1",
        "dlq.lane.offset": b"77",
        "dlq.prediction_id": b"pred_1",
        "traceparent": TRACE.encode(),
    }


def test_what_is_written_is_read() -> None:
    written = letter(attempts=4, lane=LANE, prediction_id="pred_1", table_hash="abc", error=Retry("off"))
    assert DeadLetterHeaders.parse(written.headers) == DeadLetterHeaders(
        original=SOURCE,
        timestamp=1_000,
        cause="invalid_payload",
        error_class="Retry",
        message="off",
        fingerprint=fingerprint("Retry", "invalid_payload", "off"),
        attempts=4,
        first_failure=2_000,
        last_failure=3_000,
        table_hash="abc",
        lane=LANE,
        prediction_id="pred_1",
        traceparent=None,
    )


def test_the_trace_of_the_original_stays_alone() -> None:
    written = letter(headers=[("traceparent", TRACE.encode())], traceparent=TRACE)
    assert [name for name, _ in written.headers].count("traceparent") == 1
    assert DeadLetterHeaders.parse(written.headers).traceparent == TRACE


def test_a_letter_that_was_replayed_and_failed_again_tells_the_last_failure_only() -> None:
    first = letter(lane=LANE, prediction_id="pred_1")
    again = letter(headers=first.headers, attempts=2)
    assert [name for name, _ in again.headers].count("dlq.attempts") == 1
    read = DeadLetterHeaders.parse(again.headers)
    assert (read.attempts, read.lane, read.prediction_id) == (2, None, None)


@given(message=st.text(st.characters()), error_class=st.sampled_from([ValueError, DeadLetter]))
@settings(deadline=None)
def test_any_message_can_be_written_and_read(message: str, error_class: type[Exception]) -> None:
    error = DeadLetter("rejected", message) if error_class is DeadLetter else error_class(message)
    read = DeadLetterHeaders.parse(letter(error=error, cause="rejected").headers)
    assert read.error_class == error_class.__name__
    if message.isascii() and len(message) <= 2_000:
        assert read.message == message


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_is_read(cause: str) -> None:
    assert DeadLetterHeaders.parse(letter(cause=cause).headers).cause == cause


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        pytest.param("dlq.original.offset", None, "dlq.original.offset is missing", id="a header is missing"),
        pytest.param("dlq.original.offset", b"x", "invalid literal", id="an offset that is no number"),
        pytest.param("dlq.error.cause", b"weather", "'weather'", id="a cause that is none of ours"),
        pytest.param("dlq.attempts", b"\xff", "invalid literal", id="bytes that are no text"),
    ],
)
def test_a_letter_of_others_is_refused(name: str, value: bytes | None, says: str) -> None:
    headers = [(known, value if known == name else content) for known, content in letter().headers]
    with pytest.raises(DeadLetter, match=says) as caught:
        DeadLetterHeaders.parse(headers)
    assert caught.value.cause == "undecodable"


def test_a_record_without_headers_is_no_dead_letter() -> None:
    with pytest.raises(DeadLetter, match="is missing"):
        DeadLetterHeaders.parse(None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("customer c-17 unknown", "customer c-2904 unknown", id="ids with digits"),
        pytest.param("took 12.5 s", "took 3.25 s", id="numbers"),
        pytest.param(
            "pred_1f0c2a4e-6b7d-5f00-9abc-deadbeefcafe failed",
            "pred_feedface-aaaa-5bbb-8ccc-abcdefabcdef failed",
            id="prediction ids",
        ),
    ],
)
def test_like_failures_share_a_fingerprint(one: str, other: str) -> None:
    assert fingerprint("E", "rejected", one) == fingerprint("E", "rejected", other)


def test_unlike_failures_do_not() -> None:
    prints = {
        fingerprint("E", "rejected", "amount is missing"),
        fingerprint("E", "rejected", "currency is missing"),
        fingerprint("E", "timeout", "amount is missing"),
        fingerprint("F", "rejected", "amount is missing"),
    }
    assert len(prints) == 4
