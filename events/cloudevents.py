"""Decoder of CloudEvents 1.0: the JSON format, in structured and binary Kafka mode.

`id` becomes `event_id`, `type` `event_type`, `time` `occurred_at` and `data` `payload`; `source` stays. Two
extension attributes complete the envelope: `tenantid`, and `eventversion` (semver of the payload). In the
place of `eventversion` a `dataschema` may end in the version, as in
`https://schemas.example/order.placed/1.2.0`.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from events.errors import DeadLetter
from events.parsing import explain, parse

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ABSENT = msgspec.Raw()
_MILLISECOND = timedelta(milliseconds=1)
_VERSION_AT_END = re.compile(r"(?:^|[/:#=?])v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)$")
_JSON_TYPE = re.compile(r"(application|text)/([a-z0-9.-]+\+)?json")


class _Attributes(msgspec.Struct):
    specversion: str
    id: str
    source: str
    type: str
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    tenantid: str | int
    eventversion: str | None = None
    dataschema: str | None = None
    datacontenttype: str | None = None
    traceparent: str | None = None


class _Structured(_Attributes):
    data: msgspec.Raw = _ABSENT
    data_base64: str | None = None


class _Kind(msgspec.Struct):
    """What tells a CloudEvent from an envelope. A CloudEvent has no attribute with an underscore."""

    specversion: msgspec.Raw = _ABSENT
    event_id: msgspec.Raw = _ABSENT


class _Envelope(msgspec.Struct, omit_defaults=True):
    """The envelope as it is written; it is checked when it is read."""

    event_id: str
    event_type: str
    source: str
    version: str
    occurred_at: int
    tenant_id: str
    payload: msgspec.Raw
    traceparent: str | None = None


_decode_structured = msgspec.json.Decoder(_Structured).decode
_decode_kind = msgspec.json.Decoder(_Kind).decode
_decode_raw = msgspec.json.Decoder(msgspec.Raw).decode
_encode = msgspec.json.Encoder().encode


def is_structured(json: bytes) -> bool:
    """Whether an object is a CloudEvent rather than an envelope. Raises `DeadLetter` (undecodable)."""
    kind = parse(_decode_kind, json)
    return kind.specversion is not _ABSENT and kind.event_id is _ABSENT


def from_structured(json: bytes) -> bytes:
    """The envelope's JSON. Raises `DeadLetter`: undecodable, or invalid_envelope naming the attribute."""
    event = parse(_decode_structured, json, "CloudEvent")
    if event.data_base64 is not None:
        try:
            data = base64.b64decode(event.data_base64, validate=True)
        except (binascii.Error, ValueError) as error:
            raise DeadLetter("undecodable", f"data_base64: {error}") from error
    elif event.data is not _ABSENT:
        data = bytes(event.data)
    else:
        raise DeadLetter("invalid_envelope", "CloudEvent: data is missing; give the payload as an object")
    return _envelope(event, data)


def from_binary(attributes: Mapping[str, str], data: bytes) -> bytes:
    """The same, from the `ce_` headers without their prefix, and the record's value."""
    try:
        event = msgspec.convert(dict(attributes), _Attributes)
    except msgspec.ValidationError as error:
        raise DeadLetter("invalid_envelope", explain(error, "CloudEvent")) from error
    return _envelope(event, data)


def _envelope(event: _Attributes, data: bytes) -> bytes:
    if event.specversion != "1.0":
        raise DeadLetter(
            "invalid_envelope",
            f"CloudEvent: specversion must be 1.0, is {event.specversion[:16]}; send CloudEvents 1.0",
        )
    content_type = event.datacontenttype or "application/json"
    if not _JSON_TYPE.fullmatch(content_type.partition(";")[0].strip().lower()):
        raise DeadLetter("undecodable", f"CloudEvent: data is {content_type[:64]}, not supported: send JSON")
    return _encode(
        _Envelope(
            event_id=event.id,
            event_type=event.type,
            source=event.source,
            version=_version(event),
            occurred_at=(event.time - _EPOCH) // _MILLISECOND,
            tenant_id=str(event.tenantid),
            # parsed before it is put into the envelope: `{},"tenant_id":"b"` must not become part of it
            payload=parse(_decode_raw, data, "CloudEvent"),
            traceparent=event.traceparent,
        )
    )


def _version(event: _Attributes) -> str:
    if event.eventversion is not None:
        return event.eventversion
    at_end = _VERSION_AT_END.search(event.dataschema or "")
    if at_end is None:
        raise DeadLetter(
            "invalid_envelope",
            "CloudEvent: the payload's version is missing; give the extension attribute eventversion,"
            " such as 1.0.0, or a dataschema that ends in it",
        )
    return at_end[1]
