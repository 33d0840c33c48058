"""The records that are written for one source record."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.sorting import SourceRecord, smaller, sort, too_large
from events.codec import Headers
from events.deadletter import DeadLetterHeaders
from events.decision import Position
from events.errors import DeadLetter
from events.lane import LaneRecord, Original, decode_record
from events.priority import Priority
from events.topics import DEAD_LETTERS, UNROUTED
from routing import Route, Table
from transport.topics import LANE_BYTES

SOURCE = Position("retail.events", 2, 77)
ENTERED = 1_795_266_000_000
NOW = ENTERED + 5

FRAUD = Route(
    event_type="order.placed",
    rule="order.placed[0]",
    workflow="fraud-classifier",
    priority=Priority.HIGH,
    sla_ms=100,
    queue="ml.fraud.input",
)
FORECAST = replace(FRAUD, rule="order.placed[1]", workflow="demand-forecaster", queue="ml.forecast.input")
TABLE = Table.of([FRAUD])
BOTH = Table.of([FRAUD, FORECAST])
PAYLOAD = {"order_id": "o-1", "customer_id": "c-1", "terminal_id": "t-1", "amount": 12.5, "currency": "GBP"}


def event(**changes: object) -> bytes:
    fields = {
        "event_id": "e-1",
        "event_type": "order.placed",
        "source": "till",
        "version": "1.0.0",
        "occurred_at": ENTERED,
        "tenant_id": "retailpulse",
        "payload": PAYLOAD,
    }
    return msgspec.json.encode(fields | changes)


def record(value: bytes | None, headers: Headers | None = None) -> SourceRecord:
    return SourceRecord(SOURCE, ENTERED, b"c-1", value, headers)


def lane_record(value: bytes, headers: Headers | None = None) -> LaneRecord:
    (write,) = sort(record(value, headers), TABLE, NOW).writes
    return decode_record(write.value or b"")


HIGH, FORECASTS = "ml.fraud.input.high", "ml.forecast.input.high"
VIEW = {"session_id": "s-1", "url": "/"}


@pytest.mark.parametrize(
    ("value", "table", "fate", "topics"),
    [
        pytest.param(event(), TABLE, "routed", [HIGH], id="an order wakes the fraud classifier"),
        pytest.param(event(), BOTH, "routed", [HIGH, FORECASTS], id="one event wakes two models"),
        pytest.param(
            event(event_type="page.viewed", payload=VIEW),
            TABLE,
            "ignored",
            [],
            id="a known type wakes nobody",
        ),
        pytest.param(
            event(event_type="cat.fed"),
            TABLE,
            "unrouted",
            [UNROUTED],
            id="a type that nobody declared is kept",
        ),
        pytest.param(
            b"\xff", TABLE, "dead_letter", [DEAD_LETTERS], id="bytes that are no event are given up"
        ),
        pytest.param(None, TABLE, "dead_letter", [DEAD_LETTERS], id="so is a record without a value"),
        pytest.param(
            event(event_type="page.viewed", payload={}),
            TABLE,
            "dead_letter",
            [DEAD_LETTERS],
            id="and a payload that does not fit, though its type wakes nobody",
        ),
    ],
)
def test_a_record_is_written_to_where_it_belongs(
    value: bytes | None, table: Table, fate: str, topics: list[str]
) -> None:
    became = sort(record(value), table, NOW)
    assert became.fate == fate
    assert [write.topic for write in became.writes] == topics
    assert all(write.key == b"c-1" for write in became.writes)


def test_a_lane_record_holds_the_event_as_it_came_and_what_was_decided() -> None:
    value = event(note="kept though nobody asked for it")
    (write,) = sort(record(value), TABLE, NOW).writes
    assert value in (write.value or b"")
    decision = decode_record(write.value or b"").decision
    assert (decision.source, decision.deadline) == (SOURCE, ENTERED + 100)
    assert (decision.rule, decision.table_hash) == ("order.placed[0]", TABLE.hash)


@pytest.mark.parametrize(
    ("value", "headers", "original"),
    [
        pytest.param(event(), None, None, id="the event's own JSON is there already"),
        pytest.param(
            event(),
            [("batch", b"7"), ("empty", None)],
            Original(event(), (("batch", b"7"), ("empty", None))),
            id="headers would be lost without it",
        ),
        pytest.param(
            msgspec.json.encode(PAYLOAD),
            [
                ("ce_specversion", b"1.0"),
                ("ce_id", b"e-1"),
                ("ce_type", b"order.placed"),
                ("ce_source", b"till"),
                ("ce_time", b"2026-11-21T13:00:00Z"),
                ("ce_tenantid", b"retailpulse"),
                ("ce_eventversion", b"1.0.0"),
            ],
            ...,
            id="a CloudEvent stands in the lane in another form",
        ),
    ],
)
def test_the_original_is_kept_where_the_lane_does_not_hold_it(
    value: bytes, headers: Headers | None, original: object
) -> None:
    if original is ...:
        original = Original(value, tuple(headers or ()))
    assert lane_record(value, headers).original == original


def test_an_unrouted_event_says_where_it_came_from() -> None:
    (write,) = sort(record(event(event_type="cat.fed"), [("mine", b"1")]), TABLE, NOW).writes
    assert write.value == event(event_type="cat.fed")
    assert dict(write.headers) == {
        "mine": b"1",
        "unrouted.original.topic": b"retail.events",
        "unrouted.original.partition": b"2",
        "unrouted.original.offset": b"77",
        "unrouted.original.timestamp": b"%d" % ENTERED,
        "unrouted.table_hash": TABLE.hash.encode(),
    }


def test_a_dead_letter_is_the_original_with_what_is_wrong_beside_it() -> None:
    became = sort(record(event(version="9.0.0"), [("mine", b"1")]), TABLE, NOW)
    (write,) = became.writes
    letter = DeadLetterHeaders.parse(write.headers)
    assert became.cause == letter.cause == "unknown_version"
    assert (write.value, write.headers[0]) == (event(version="9.0.0"), ("mine", b"1"))
    assert (letter.original, letter.timestamp, letter.last_failure) == (SOURCE, ENTERED, NOW)
    assert (letter.attempts, letter.table_hash, letter.lane) == (1, TABLE.hash, None)


def test_an_event_that_outgrows_its_lane_is_given_up_whole() -> None:
    # the original goes along in base64, and both together are too much
    large = event(note="x" * 900_000)
    became = sort(record(large, [("mine", b"1")]), BOTH, NOW)
    assert (became.fate, became.cause) == ("dead_letter", "too_large")
    (write,) = became.writes
    assert (write.topic, write.value) == (DEAD_LETTERS, large)
    assert str(LANE_BYTES) in DeadLetterHeaders.parse(write.headers).message


def test_what_a_lane_refused_is_given_up_with_its_original() -> None:
    (write,) = sort(record(event(), [("mine", b"1")]), TABLE, NOW).writes
    letter = too_large(write.value or b"", write.key, NOW)
    headers = DeadLetterHeaders.parse(letter.headers)
    assert (letter.topic, letter.key, letter.value) == (DEAD_LETTERS, b"c-1", event())
    assert (headers.cause, headers.original, headers.timestamp) == ("too_large", SOURCE, ENTERED)
    assert ("mine", b"1") in letter.headers


@given(
    at=st.integers(0, len(event()) - 1),
    garbage=st.binary(max_size=12),
    cut=st.integers(0, 40),
    header=st.none() | st.tuples(st.text(max_size=8), st.none() | st.binary(max_size=8)),
)
def test_whatever_the_bytes_are_the_record_gets_one_fate(
    at: int, garbage: bytes, cut: int, header: tuple[str, bytes | None] | None
) -> None:
    value = event()[:at] + garbage + event()[at + cut :]
    became = sort(record(value, [header] if header else None), TABLE, NOW)
    expected = {"routed": [HIGH], "ignored": [], "unrouted": [UNROUTED], "dead_letter": [DEAD_LETTERS]}
    assert [write.topic for write in became.writes] == expected[became.fate]
    assert (became.cause is None) == (became.fate != "dead_letter")


def test_a_record_whose_headers_cannot_be_read_is_a_dead_letter_with_value_and_key() -> None:
    fault = DeadLetter("undecodable", "a header's name is not UTF-8")
    (write,) = sort(record(event())._replace(fault=fault), TABLE, NOW).writes
    said = DeadLetterHeaders.parse(write.headers)
    assert (write.topic, write.value, write.key) == (DEAD_LETTERS, event(), b"c-1")
    assert (said.cause, said.message, said.truncated) == ("undecodable", str(fault), frozenset({"headers"}))


LARGE = b"k" * LANE_BYTES


@pytest.mark.parametrize(
    "large",
    [
        pytest.param(record(event())._replace(key=LARGE), id="its key, for a lane"),
        pytest.param(record(event(), [("a", LARGE)]), id="its headers, for a lane"),
        pytest.param(record(event(event_type="x"))._replace(key=LARGE), id="its key, for the unrouted"),
        pytest.param(record(event(event_type="x"), [("a", LARGE)]), id="its headers, for the unrouted"),
    ],
)
def test_whatever_of_a_record_is_too_large_it_is_a_dead_letter(large: SourceRecord) -> None:
    outcome = sort(large, TABLE, NOW)
    assert (outcome.fate, outcome.cause) == ("dead_letter", "too_large")


def test_an_unrouted_record_that_its_topic_refuses_is_a_dead_letter_of_its_source() -> None:
    (unrouted,) = sort(record(event(event_type="x"), [("a", b"1")]), TABLE, NOW).writes
    instead = smaller(unrouted, 1, NOW)
    assert instead is not None
    said = DeadLetterHeaders.parse(instead.headers)
    assert (instead.topic, instead.value, instead.key) == (DEAD_LETTERS, unrouted.value, b"c-1")
    assert instead.headers[0] == ("a", b"1")
    assert (said.original, said.timestamp, said.cause) == (SOURCE, ENTERED, "too_large")
    assert said.table_hash == TABLE.hash


def test_a_dead_letter_that_its_topic_refuses_is_written_with_less_twice_and_then_given_up() -> None:
    (letter,) = sort(record(b"\xff" * 900_000), TABLE, NOW).writes
    less = smaller(letter, 1, NOW)
    assert less is not None
    bare = smaller(less, 2, NOW)
    assert bare is not None
    assert 0 < len(less.value or b"") < 100_000
    assert bare.value is None
    assert smaller(bare, 3, NOW) is None
