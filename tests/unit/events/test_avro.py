"""Which event is in a record in Confluent's framing, and which schemas an envelope may be written by."""

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.avro import RETAIL_EVENT, SHIPPED_ID, FixedSchemas, SchemaError, Writer
from events.codec import decode
from events.envelope import Envelope
from events.errors import Cause, DeadLetter, Unavailable
from stack.emission import Event, in_avro, in_form
from stack.examples import PAYLOADS, envelope

STRINGS = ("event_id", "event_type", "source", "version", "tenant_id")


def order(**changes: Any) -> dict[str, Any]:
    event = envelope("order.placed", "evt-1")
    return {**event, "payload": json.dumps(event["payload"]).encode(), **changes}


def schema(**changes: Any) -> str:
    """The shipped schema with these fields' types; `...` takes a field away."""
    record = json.loads(RETAIL_EVENT)
    types = {field["name"]: field["type"] for field in record["fields"]} | changes
    fields = [{"name": name, "type": kind} for name, kind in types.items() if kind is not ...]
    return json.dumps({**record, "fields": fields})


def read(value: bytes, text: str = RETAIL_EVENT) -> Envelope:
    return decode(value, (), FixedSchemas({SHIPPED_ID: text})).envelope


def test_an_event_in_avro_is_its_envelope_as_json() -> None:
    value = in_avro(order())
    decoded = decode(value)
    again = decode(decoded.json)
    assert (decoded.form, again.form) == ("avro", "json")
    assert decoded.envelope == again.envelope
    assert decoded.envelope == msgspec.convert(envelope("order.placed", "evt-1"), Envelope)


def test_a_trace_comes_from_the_record_or_else_from_its_header() -> None:
    header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    headers = [("traceparent", header.encode())]
    assert decode(in_avro(order()), headers).envelope.traceparent == header
    assert decode(in_avro(order(traceparent="its own")), headers).envelope.traceparent == "its own"


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=64)
payloads = st.dictionaries(
    names, st.recursive(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | names, st.lists)
)


@given(
    event_id=names,
    event_type=st.sampled_from(sorted(PAYLOADS)) | names,
    occurred_at=st.integers(0, 253_402_300_799_999),
    tenant_id=names,
    payload=payloads,
)
def test_whatever_an_event_says_avro_says_the_same_as_json(**fields: Any) -> None:
    event = Event(source="shop", **fields)
    assert decode(*in_form(event, "avro")).envelope == decode(*in_form(event, "json")).envelope


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        pytest.param(schema(), {}, id="fields without logical types"),
        pytest.param(schema(payload="string"), {"payload": "{}"}, id="the payload as a string"),
        pytest.param(schema(occurred_at="int"), {"occurred_at": 7}, id="a shorter number"),
        pytest.param(schema(traceparent=...), {}, id="no trace at all"),
        pytest.param(schema(region="string"), {"region": "eu"}, id="a field that we do not know"),
        pytest.param(
            schema(tenant_id={"type": "enum", "name": "Tenant", "symbols": ["retailpulse"]}),
            {},
            id="a tenant of a list",
        ),
        pytest.param(RETAIL_EVENT.replace("signalbox", "shop.tills"), {}, id="another namespace"),
    ],
)
def test_what_another_version_of_the_schema_may_say_otherwise(text: str, changes: dict[str, Any]) -> None:
    assert read(in_avro(order(**changes), text), text).event_id == "evt-1"


def test_a_field_that_we_do_not_know_is_kept() -> None:
    text = schema(region="string")
    decoded = decode(in_avro(order(region="eu"), text), (), FixedSchemas({SHIPPED_ID: text}))
    assert json.loads(decoded.json)["region"] == "eu"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "JSONDecodeError", id="no JSON"),
        pytest.param('"string"', "no record", id="no record"),
        pytest.param(
            RETAIL_EVENT.replace("RetailEvent", "Invoice"), "must be RetailEvent, is Invoice", id="an invoice"
        ),
        *(pytest.param(schema(**{name: ...}), f"lacks {name}", id=f"no {name}") for name in STRINGS),
        pytest.param(schema(payload="double"), "payload must be bytes", id="a number as payload"),
        pytest.param(
            schema(x={"type": "array", "items": "null"}),
            "x has the type array: put it",
            id="nulls without end",
        ),
        pytest.param(schema(x=["null", "signalbox.RetailEvent"]), "put it into", id="an event in an event"),
        pytest.param(schema(x={"type": "map", "values": "long"}), "x has the type map", id="a map"),
        pytest.param(schema(x={"type": "enum"}), "x", id="an enumeration of nothing"),
        pytest.param('{"type": "record", "name": "RetailEvent"}', "fields", id="no fields"),
    ],
)
def test_a_schema_by_which_no_envelope_is_written_is_named(text: str, says: str) -> None:
    with pytest.raises(SchemaError, match=says):
        Writer(text)
    with pytest.raises(DeadLetter, match=f"Avro schema {SHIPPED_ID}: ") as caught:
        read(in_avro(order()), text)
    assert caught.value.cause == "undecodable"


@pytest.mark.parametrize(
    ("value", "cause", "says"),
    [
        pytest.param(b"\x00", "undecodable", "too short", id="the magic byte alone"),
        pytest.param(b"\x00\x00\x00\x00\x01", "undecodable", "cut short", id="a frame without a record"),
        pytest.param(in_avro(order())[:-1], "undecodable", "cut short", id="the last byte is missing"),
        pytest.param(in_avro(order()) + b"\x00", "undecodable", "1 bytes are left", id="a byte too many"),
        pytest.param(
            in_avro(order(), schema_id=7), "undecodable", "schema 7 is not known", id="an unknown schema"
        ),
        pytest.param(in_avro(order(), schema_id=2**31), "undecodable", "no Avro schema's id", id="no id"),
        pytest.param(in_avro(order(event_id="")), "invalid_envelope", "event_id", id="an empty id"),
        pytest.param(in_avro(order(version="1")), "invalid_envelope", "such as 1.0.0", id="no semver"),
        pytest.param(in_avro(order(occurred_at=-1)), "invalid_envelope", "occurred_at", id="before 1970"),
        pytest.param(in_avro(order(payload=b"[]")), "invalid_envelope", "give an object", id="a list"),
        pytest.param(
            in_avro(order(payload=b"{")), "undecodable", "not JSON", id="a payload that is cut short"
        ),
        pytest.param(
            in_avro(order(payload=b'{},"tenant_id":"other"')),
            "undecodable",
            "not JSON",
            id="a payload that would break out of its place",
        ),
        pytest.param(
            in_avro(order(payload=b'{"a":' * 100 + b"1" + b"}" * 100)), "undecodable", "levels", id="too deep"
        ),
    ],
)
def test_what_is_no_event_is_a_dead_letter_that_says_why(value: bytes, cause: Cause, says: str) -> None:
    with pytest.raises(DeadLetter, match=re.escape(says)) as caught:
        decode(value)
    assert caught.value.cause == cause


class NoRegistry:
    """One that is down."""

    def writer(self, schema_id: int) -> Writer:
        raise Unavailable("schema registry", f"for schema {schema_id}")


def test_a_registry_that_is_down_says_nothing_of_the_event() -> None:
    with pytest.raises(Unavailable, match="schema registry is unavailable: for schema 1"):
        decode(in_avro(order()), (), NoRegistry())


def test_other_forms_ask_no_registry() -> None:
    assert decode(json.dumps(envelope("order.placed", "evt-1")).encode(), (), NoRegistry()).form == "json"
