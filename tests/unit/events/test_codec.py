"""Which event the router sees in a record's bytes and headers."""

import json
import re
from typing import Any

import pytest

from events.codec import MAX_EVENT_BYTES, decode
from events.errors import Cause, DeadLetter
from events.lane import LaneRecord, decode_record
from events.parsing import MAX_DEPTH
from stack.examples import envelope

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def order(**changes: Any) -> dict[str, Any]:
    return {**envelope("order.placed", "evt-1"), **changes}


def as_json(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode()


def without(field: str) -> bytes:
    event = order()
    del event[field]
    return as_json(event)


def nested(levels: int) -> str:
    """An object that is nested this deep, the envelope around it not counted."""
    return '{"a":' * (levels - 1) + "{}" + "}" * (levels - 1)


def test_the_bytes_of_an_envelope_are_passed_on_as_they_came() -> None:
    value = as_json(order(nobody_asked={"kept": [1, 2]}))
    decoded = decode(value)
    assert decoded.json is value
    assert decoded.form == "json"
    assert decoded.envelope.event_id == "evt-1"
    assert decoded.envelope.payload["customer_id"] == "c-17"
    assert decoded.envelope.major == 1


@pytest.mark.parametrize(
    ("value", "cause", "says"),
    [
        pytest.param(None, "undecodable", "no value", id="a tombstone"),
        pytest.param(b"", "undecodable", "no value", id="nothing"),
        pytest.param(b"\n \t", "undecodable", "neither", id="white space only"),
        pytest.param(b"hello", "undecodable", "begins with b'hello'", id="text"),
        pytest.param(b"[1]", "undecodable", "neither", id="a JSON array"),
        pytest.param(
            b"\x00\x00\x00\x00\x07abc", "undecodable", "Avro", id="Avro by a schema that nobody knows"
        ),
        pytest.param(as_json(order())[:-9], "undecodable", "not JSON", id="cut short"),
        pytest.param(as_json(order()) * 2, "undecodable", "not JSON", id="two events in one record"),
        pytest.param(b'{"a":NaN}', "undecodable", "not JSON", id="NaN"),
        pytest.param(without("tenant_id"), "invalid_envelope", "`tenant_id`", id="a field is missing"),
        pytest.param(as_json(order(event_id="")), "invalid_envelope", "event_id", id="an empty id"),
        pytest.param(as_json(order(event_id=7)), "invalid_envelope", "event_id", id="a number for an id"),
        pytest.param(as_json(order(event_id="x" * 257)), "invalid_envelope", "event_id", id="a long id"),
        pytest.param(as_json(order(version="1")), "invalid_envelope", "such as 1.0.0", id="no semver"),
        pytest.param(as_json(order(version="1.0.0\n")), "invalid_envelope", "version", id="a line end"),
        pytest.param(as_json(order(version="1.٣.0")), "invalid_envelope", "version", id="digits of others"),
        pytest.param(
            as_json(order(occurred_at="2026-11-21")), "invalid_envelope", "epoch milliseconds", id="a date"
        ),
        pytest.param(as_json(order(occurred_at=-1)), "invalid_envelope", "occurred_at", id="before 1970"),
        pytest.param(as_json(order(occurred_at=10**15)), "invalid_envelope", "occurred_at", id="year 33658"),
        pytest.param(
            as_json(order(payload=[])), "invalid_envelope", "give an object", id="a list as payload"
        ),
        pytest.param(
            as_json(order(nobody_asked="x" * MAX_EVENT_BYTES)),
            "too_large",
            str(MAX_EVENT_BYTES),
            id="too large",
        ),
        pytest.param(
            as_json(order(nobody_asked="@")).replace(b"@", b"\xff"),
            "undecodable",
            "not UTF-8",
            id="bytes that are no text, in a field that nobody reads",
        ),
        pytest.param(
            as_json(order(nobody_asked="@")).replace(b"@", rb"\ud800"),
            "undecodable",
            "not JSON",
            id="half a surrogate pair",
        ),
    ],
)
def test_what_is_no_event_is_a_dead_letter_that_says_why(
    value: bytes | None, cause: Cause, says: str
) -> None:
    with pytest.raises(DeadLetter, match=re.escape(says)) as caught:
        decode(value)
    assert caught.value.cause == cause


@pytest.mark.parametrize("levels", [1_000, 100_000])
@pytest.mark.parametrize("field", ["payload", "nobody_asked"])
def test_nesting_without_bottom_crashes_nobody(field: str, levels: int) -> None:
    value = as_json(order(**{field: "@"})).replace(b'"@"', nested(levels).encode())
    with pytest.raises(DeadLetter, match=f"more than {MAX_DEPTH} levels"):
        decode(value)


@pytest.mark.parametrize("field", ["payload", "nobody_asked"])
def test_nesting_is_counted_to_the_level(field: str) -> None:
    def event(levels: int) -> bytes:
        return as_json(order(**{field: "@"})).replace(b'"@"', nested(levels).encode())

    # an order's own item adds no depth here: the payload's and the unknown field's nesting is deeper
    assert decode(event(MAX_DEPTH - 1)).envelope.event_id == "evt-1"
    with pytest.raises(DeadLetter, match="levels deep"):
        decode(event(MAX_DEPTH))


def test_many_brackets_side_by_side_or_in_text_are_not_depth() -> None:
    wide = order(nobody_asked=[{"sku": i, "note": '[[{{"\\'} for i in range(500)])
    assert decode(as_json(wide)).envelope.event_id == "evt-1"


def test_the_deepest_event_that_is_taken_is_read_again_from_a_deep_stack() -> None:
    json_bytes = as_json(order(payload="@")).replace(b'"@"', nested(MAX_DEPTH - 1).encode())
    decision = (
        b'{"prediction_id":"p","workflow":"w","queue":"q","priority":"high","rule":"r","table_hash":"h",'
        b'"sla_ms":1,"deadline":1,"source":{"topic":"t","partition":0,"offset":0}}'
    )
    lane_record = b'{"event":%b,"decision":%b}' % (decode(json_bytes).json, decision)

    def from_below(frames: int) -> LaneRecord:
        return from_below(frames - 1) if frames else decode_record(lane_record)

    assert from_below(500).event.event_id == "evt-1"


def test_white_space_around_an_event_is_cut_off() -> None:
    value = b"\n " + as_json(order()) + b"\r\n"
    decoded = decode(value)
    assert decoded.json == value.strip()
    assert decoded.json is not value


def test_a_trace_in_the_headers_goes_into_the_event() -> None:
    decoded = decode(as_json(order()), [("traceparent", TRACE.encode()), ("x-other", None)])
    assert decoded.envelope.traceparent == TRACE
    assert decode(decoded.json).envelope == decoded.envelope


def test_the_trace_that_an_event_carries_itself_goes_first() -> None:
    value = as_json(order(traceparent="its own"))
    decoded = decode(value, [("traceparent", TRACE.encode())])
    assert decoded.envelope.traceparent == "its own"
    assert decoded.json is value


@pytest.mark.parametrize("bad", [None, b"", b"\xff", b'","tenant_id":"other', TRACE.encode() + b"\n"])
def test_a_header_that_is_no_trace_is_left_alone(bad: bytes | None) -> None:
    assert decode(as_json(order()), [("traceparent", bad)]).envelope.traceparent is None


def test_an_envelope_may_carry_a_field_called_specversion() -> None:
    assert decode(as_json(order(specversion="whatever"))).form == "json"
    assert decode(as_json(order(payload={"specversion": "1.0"}))).form == "json"


def test_a_batch_of_cloud_events_is_refused_by_name() -> None:
    with pytest.raises(DeadLetter, match="each event as a record"):
        decode(b"[]", [("content-type", b"application/cloudevents-batch+json")])


@pytest.mark.parametrize(
    ("field", "fix"),
    [
        ("event_id", "give text of 1 to 256 characters"),
        ("event_type", "give text of 1 to 256 characters"),
        ("source", "give text of 1 to 256 characters"),
        ("tenant_id", "give text of 1 to 256 characters"),
        ("version", "give a semantic version such as 1.0.0"),
        ("occurred_at", "give epoch milliseconds"),
        ("payload", "give an object"),
    ],
)
@pytest.mark.parametrize(
    "value", [..., None, "", 1.5, [], True, "x" * 300, -1], ids=lambda value: f"{value!r}"[:12]
)
def test_each_refusal_of_an_envelope_names_the_field_and_the_fix(field: str, fix: str, value: object) -> None:
    with pytest.raises(DeadLetter) as refusal:
        decode(without(field) if value is ... else as_json(order(**{field: value})))
    assert refusal.value.cause == "invalid_envelope"
    assert f"{field}`" in str(refusal.value)
    assert str(refusal.value).count(fix) == 1


def test_a_version_of_one_number_is_not_called_a_wrong_type() -> None:
    with pytest.raises(DeadLetter) as refusal:
        decode(as_json(order(version="1")))
    assert str(refusal.value) == (
        "envelope: expected a semantic version - at `$.version`; give a semantic version such as 1.0.0"
    )
