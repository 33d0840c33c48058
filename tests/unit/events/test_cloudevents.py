"""What a CloudEvent must carry to become an event here."""

import base64
import json
import re
from typing import Any

import pytest

from events.codec import decode
from events.errors import Cause, DeadLetter

ATTRIBUTES = {
    "specversion": "1.0",
    "id": "evt-1",
    "type": "page.viewed",
    "source": "/shop",
    "time": "2026-11-21T13:00:00.250+01:00",
    "tenantid": "retailpulse",
    "eventversion": "1.2.0",
}
DATA = {"session_id": "s", "url": "https://shop.example"}
STRUCTURED: list[tuple[str, bytes | None]] = [
    ("Content-Type", b"application/cloudevents+json; charset=utf-8")
]


def structured(**changes: Any) -> bytes:
    event = {**ATTRIBUTES, "data": DATA, **changes}
    return json.dumps({name: value for name, value in event.items() if value is not ...}).encode()


def binary(**changes: Any) -> list[tuple[str, bytes | None]]:
    attributes = {**ATTRIBUTES, **changes}
    return [(f"ce_{name}", value.encode()) for name, value in attributes.items() if value is not ...]


def test_both_modes_make_the_same_envelope() -> None:
    one = decode(structured(), STRUCTURED)
    other = decode(json.dumps(DATA).encode(), [*binary(), ("content-type", b"application/json")])
    assert (one.form, other.form) == ("cloudevents-structured", "cloudevents-binary")
    assert one.envelope == other.envelope
    assert one.envelope.event_id == "evt-1"
    assert one.envelope.event_type == "page.viewed"
    assert one.envelope.tenant_id == "retailpulse"
    assert one.envelope.occurred_at == 1_795_262_400_250
    assert one.envelope.version == "1.2.0"
    assert one.envelope.payload == DATA


def test_the_json_beside_a_cloud_event_is_its_envelope() -> None:
    decoded = decode(structured(traceparent="00-trace"), STRUCTURED)
    again = decode(decoded.json)
    assert again.form == "json"
    assert again.envelope == decoded.envelope
    assert again.envelope.traceparent == "00-trace"


@pytest.mark.parametrize(
    "dataschema",
    [
        pytest.param("https://schemas.example/page.viewed/1.2.0", id="a path"),
        pytest.param("urn:retail:page.viewed:1.2.0", id="a URN"),
        pytest.param("https://schemas.example/page.viewed#v1.2.0", id="a fragment with a v"),
        pytest.param("https://schemas.example/page.viewed?version=1.2.0", id="a query"),
    ],
)
def test_the_version_may_stand_at_the_end_of_the_schema(dataschema: str) -> None:
    value = structured(eventversion=..., dataschema=dataschema)
    assert decode(value, STRUCTURED).envelope.version == "1.2.0"


def test_data_may_come_in_base64() -> None:
    data = base64.b64encode(json.dumps(DATA).encode()).decode()
    assert decode(structured(data=..., data_base64=data), STRUCTURED).envelope.payload == DATA


def test_a_tenant_may_be_a_number() -> None:
    assert decode(structured(tenantid=42), STRUCTURED).envelope.tenant_id == "42"


@pytest.mark.parametrize(
    ("changes", "cause", "says"),
    [
        pytest.param(
            {"specversion": "0.3"}, "invalid_envelope", "must be 1.0, is 0.3", id="an older version"
        ),
        pytest.param(
            {"specversion": ...}, "invalid_envelope", "`specversion`", id="no version of the format"
        ),
        pytest.param({"id": ...}, "invalid_envelope", "`id`", id="no id"),
        pytest.param({"id": ""}, "invalid_envelope", "event_id", id="an empty id"),
        pytest.param({"tenantid": ...}, "invalid_envelope", "as an extension attribute", id="no tenant"),
        pytest.param({"eventversion": ...}, "invalid_envelope", "eventversion", id="no version"),
        pytest.param({"eventversion": "1"}, "invalid_envelope", "such as 1.0.0", id="no semver"),
        pytest.param({"time": ...}, "invalid_envelope", "`time`", id="no time"),
        pytest.param({"time": "2026-11-21T13:00:00"}, "invalid_envelope", "offset", id="a local time"),
        pytest.param({"time": "1969-12-31T23:59:59Z"}, "invalid_envelope", "occurred_at", id="before 1970"),
        pytest.param(
            {"datacontenttype": "application/avro"}, "undecodable", "send JSON", id="data of another type"
        ),
    ],
)
@pytest.mark.parametrize("mode", ["structured", "binary"])
def test_what_an_envelope_needs_is_asked_for_by_name(
    mode: str, changes: dict[str, Any], cause: Cause, says: str
) -> None:
    if mode == "structured":
        record = structured(**changes), STRUCTURED
    else:
        record = json.dumps(DATA).encode(), binary(**changes)
    with pytest.raises(DeadLetter, match=re.escape(says)) as caught:
        decode(*record)
    assert caught.value.cause == cause


@pytest.mark.parametrize(
    ("changes", "cause", "says"),
    [
        pytest.param({"data": ...}, "invalid_envelope", "data is missing", id="no data"),
        pytest.param({"data": None}, "invalid_envelope", "give an object", id="null"),
        pytest.param({"data": "text"}, "invalid_envelope", "give an object", id="text"),
        pytest.param({"data": ..., "data_base64": "&"}, "undecodable", "data_base64", id="no base64"),
        pytest.param({"data": ..., "data_base64": "AAAA"}, "undecodable", "not JSON", id="base64 of no JSON"),
    ],
)
def test_structured_data_is_an_object(changes: dict[str, Any], cause: Cause, says: str) -> None:
    with pytest.raises(DeadLetter, match=says) as caught:
        decode(structured(**changes), STRUCTURED)
    assert caught.value.cause == cause


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        pytest.param(b'{},"tenant_id":"other"', "undecodable", id="data that would break out of its place"),
        pytest.param(b'{"a":"\xff"}', "undecodable", id="data that is not UTF-8"),
        pytest.param(b"[" * 100_000, "undecodable", id="data without bottom"),
        pytest.param(b"[1]", "invalid_envelope", id="a list"),
    ],
)
def test_binary_data_cannot_touch_the_envelope(data: bytes, cause: Cause) -> None:
    with pytest.raises(DeadLetter) as caught:
        decode(data, binary())
    assert caught.value.cause == cause


def test_a_header_that_is_not_text_is_named() -> None:
    with pytest.raises(DeadLetter, match="header ce_id is not UTF-8") as caught:
        decode(b"{}", [*binary(), ("ce_id", b"\xff")])
    assert caught.value.cause == "undecodable"
