"""That what the public `cloudevents` SDK writes to Kafka is understood as it is."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings import kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1.http import CloudEvent as OlderCloudEvent
from cloudevents.v1.kafka import to_binary as older_to_binary
from cloudevents.v1.kafka import to_structured as older_to_structured

from events.codec import Headers, decode
from events.payloads import validate
from stack.examples import PAYLOADS

AT = datetime(2026, 11, 21, 13, 0, 0, 250_999, tzinfo=UTC)
Written = tuple[dict[str, bytes], bytes | str]


def attributes(event_type: str) -> dict[str, Any]:
    return {
        "id": "evt-1",
        "type": event_type,
        "source": "/shop/web",
        "time": AT,
        "tenantid": "retailpulse",
        "eventversion": "1.2.0",
        "partitionkey": "c-17",
        "subject": "Köln",
    }


def structured(event_type: str) -> Written:
    message = kafka.to_structured_event(CloudEvent(attributes(event_type), PAYLOADS[event_type]))
    return message.headers, message.value


def structured_with_bytes(event_type: str) -> Written:
    data = json.dumps(PAYLOADS[event_type]).encode()
    message = kafka.to_structured_event(CloudEvent(attributes(event_type), data))
    return message.headers, message.value


def binary(event_type: str) -> Written:
    event = CloudEvent(
        {**attributes(event_type), "datacontenttype": "application/json"}, PAYLOADS[event_type]
    )
    message = kafka.to_binary(event, JSONFormat())
    return message.headers, message.value


def binary_without_a_content_type(event_type: str) -> Written:
    message = kafka.to_binary_event(CloudEvent(attributes(event_type), PAYLOADS[event_type]))
    return message.headers, message.value


def older(event_type: str) -> OlderCloudEvent:
    return OlderCloudEvent(
        {**attributes(event_type), "time": AT.isoformat(), "datacontenttype": "application/json"},
        PAYLOADS[event_type],
    )


def structured_by_the_older_api(event_type: str) -> Written:
    message = older_to_structured(older(event_type))
    return message.headers, message.value


def binary_by_the_older_api(event_type: str) -> Written:
    message = older_to_binary(older(event_type))
    return message.headers, message.value


WRITERS: dict[Callable[[str], Written], str] = {
    structured: "cloudevents-structured",
    structured_with_bytes: "cloudevents-structured",
    structured_by_the_older_api: "cloudevents-structured",
    binary: "cloudevents-binary",
    binary_without_a_content_type: "cloudevents-binary",
    binary_by_the_older_api: "cloudevents-binary",
}


@pytest.mark.parametrize("event_type", sorted(PAYLOADS))
@pytest.mark.parametrize(
    ("write", "form"), [pytest.param(w, form, id=w.__name__.replace("_", " ")) for w, form in WRITERS.items()]
)
def test_an_event_comes_through_whole(write: Callable[[str], Written], form: str, event_type: str) -> None:
    headers, value = write(event_type)
    wire: Headers = list(headers.items())
    decoded = decode(value.encode() if isinstance(value, str) else value, wire)
    event = decoded.envelope
    assert decoded.form == form
    assert (event.event_id, event.event_type, event.source) == ("evt-1", event_type, "/shop/web")
    assert (event.tenant_id, event.version) == ("retailpulse", "1.2.0")
    assert event.occurred_at == int(AT.timestamp()) * 1_000 + 250
    assert event.payload == PAYLOADS[event_type]
    validate(event)


def test_a_structured_event_is_known_without_its_header() -> None:
    _, value = structured("order.placed")
    assert isinstance(value, bytes)
    assert (
        decode(value).envelope == decode(value, [("content-type", b"application/cloudevents+json")]).envelope
    )
