"""An emission: a record that a producer sends, its time, and its expected fate."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from typing import Any

import msgspec

from dispatcher.sorting import Fate
from events.avro import HEADER_BYTES, MAGIC, RETAIL_EVENT, SHIPPED_ID
from events.codec import Form
from events.decision import Millis
from events.errors import Cause

Headers = tuple[tuple[str, bytes], ...]
VERSION = "1.0.0"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Emission:
    """One record for an event topic.

    `at` (epoch ms) is when its producer sends it. `fate` is what a router must make of it, and `cause` why it
    is a dead letter, if it is one. `repeats`: an event with this id was sent before. `fraud` is the truth,
    which no event carries: None if it is no order, 0 for an honest one, else the number of the scenario.
    """

    at: Millis
    event_id: str
    key: bytes
    value: bytes
    headers: Headers = ()
    fate: Fate = "routed"
    cause: Cause | None = None
    repeats: bool = False
    fraud: int | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An envelope on its way out; in this order its fields stand in the JSON."""

    event_id: str
    event_type: str
    source: str
    version: str = VERSION
    occurred_at: Millis
    tenant_id: str
    payload: Mapping[str, Any]


_encode = msgspec.json.Encoder().encode


def in_form(event: Event, form: Form) -> tuple[bytes, Headers]:
    """Value and headers of an event in one of the wire forms."""
    if form == "json":
        return _encode(event), ()
    if form == "avro":
        return in_avro({**msgspec.structs.asdict(event), "payload": _encode(event.payload)}), ()
    attributes = {
        "specversion": "1.0",
        "id": event.event_id,
        "source": event.source,
        "type": event.event_type,
        "time": _rfc3339(event.occurred_at),
        "tenantid": event.tenant_id,
        "eventversion": event.version,
    }
    if form == "cloudevents-structured":
        body = {**attributes, "datacontenttype": "application/json", "data": event.payload}
        return _encode(body), (("content-type", b"application/cloudevents+json"),)
    headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    return _encode(event.payload), (*headers, ("content-type", b"application/json"))


def in_avro(fields: Mapping[str, Any], schema: str = RETAIL_EVENT, schema_id: int = SHIPPED_ID) -> bytes:
    """A record of this Avro schema in Confluent's framing. A `payload` goes in as bytes of JSON."""
    from fastavro import schemaless_writer

    stream = BytesIO()
    stream.write(bytes([MAGIC]) + schema_id.to_bytes(HEADER_BYTES - 1, "big"))
    schemaless_writer(stream, _parsed(schema), fields)
    return stream.getvalue()


@cache
def _parsed(schema: str) -> Any:
    from fastavro import parse_schema

    return parse_schema(msgspec.json.decode(schema), {})


def _rfc3339(time: Millis) -> str:
    # not from a timestamp in seconds: a float far from 1970 is not exact to the millisecond
    return (_EPOCH + timedelta(milliseconds=time)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
