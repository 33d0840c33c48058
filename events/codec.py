"""Event codec: a record is JSON, a CloudEvent or Avro, told apart by header and first byte."""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from events.avro import MAGIC, SHIPPED, Schemas, from_avro
from events.cloudevents import from_binary, from_structured, is_structured
from events.envelope import Envelope
from events.errors import DeadLetter
from events.parsing import check_text, parse

Headers = Sequence[tuple[str, bytes | None]]
Form = Literal["json", "cloudevents-structured", "cloudevents-binary", "avro"]

# What Kafka takes by default. A lane adds the decision, and the original where that had another form.
MAX_EVENT_BYTES = 1_000_000

_decode_envelope = msgspec.json.Decoder(Envelope).decode
_STRUCTURED = "application/cloudevents+json"
_BATCHED = "application/cloudevents-batch+json"
_OPENING, _CLOSING = b"{}"
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Decoded(NamedTuple):
    """An event, its envelope as JSON, and the form in which it came.

    `json` is the record's value itself where that was the envelope as JSON: `decoded.json is value` tells
    whether the original must be kept beside it.
    """

    envelope: Envelope
    json: bytes
    form: Form


class _Marks(NamedTuple):
    """What a record's headers say of its form; `attributes` are a CloudEvent's."""

    content_type: str | None
    traceparent: str | None
    attributes: dict[str, str]


_UNMARKED = _Marks(None, None, {})


def decode(value: bytes | None, headers: Headers | None = None, schemas: Schemas = SHIPPED) -> Decoded:
    """Read a record of an event topic. `schemas` are those by which Avro was written.

    Raises `DeadLetter`: undecodable where the bytes are no event in any form, invalid_envelope naming the
    field, too_large above `MAX_EVENT_BYTES`. Raises `Unavailable` if it is Avro and the registry cannot
    be asked for its schema: nothing is said of the event then.
    """
    if not value:
        raise DeadLetter("undecodable", "the record has no value")
    if len(value) > MAX_EVENT_BYTES:
        raise DeadLetter("too_large", f"{len(value)} bytes; an event takes up to {MAX_EVENT_BYTES}")
    marks = _read_marks(headers) if headers else _UNMARKED
    json, form = _to_json(value, marks, schemas)
    envelope = parse(_decode_envelope, json)
    check_text(json)
    if marks.traceparent is not None and envelope.traceparent is None:
        json = b'%b,"traceparent":"%b"}' % (json[:-1], marks.traceparent.encode())
        envelope = msgspec.structs.replace(envelope, traceparent=marks.traceparent)
    return Decoded(envelope, json, form)


def _to_json(value: bytes, marks: _Marks, schemas: Schemas) -> tuple[bytes, Form]:
    """The envelope as JSON, from its `{` to its `}`."""
    structured = marks.content_type == _STRUCTURED
    if marks.attributes and not structured:
        attributes = marks.attributes
        if marks.content_type is not None:
            attributes["datacontenttype"] = marks.content_type
        return from_binary(attributes, value), "cloudevents-binary"
    if marks.content_type == _BATCHED:
        raise DeadLetter("undecodable", f"{_BATCHED} is not supported: send each event as a record")
    if value[0] == MAGIC:
        return from_avro(value, schemas), "avro"
    json = value if value[0] == _OPENING and value[-1] == _CLOSING else value.strip(b" \t\r\n")
    if not json.startswith(b"{"):
        raise DeadLetter("undecodable", f"neither a JSON object nor a CloudEvent: begins with {json[:16]!r}")
    if structured or (b'"specversion"' in json and is_structured(json)):
        return from_structured(json), "cloudevents-structured"
    return json, "json"


def _read_marks(headers: Headers) -> _Marks:
    content_type: str | None = None
    traceparent: str | None = None
    attributes: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        if lower == "content-type":
            content_type = _text(name, value).partition(";")[0].strip().lower()
        elif lower.startswith("ce_"):
            attributes[lower[3:]] = _text(name, value)
        elif lower == "traceparent" and value is not None:
            text = value.decode("ascii", "replace")
            traceparent = text if _TRACEPARENT.fullmatch(text) else None
    return _Marks(content_type, traceparent, attributes)


def _text(name: str, value: bytes | None) -> str:
    try:
        return (value or b"").decode()
    except UnicodeDecodeError as error:
        raise DeadLetter("undecodable", f"header {name[:64]} is not UTF-8 at byte {error.start}") from error
