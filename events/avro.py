"""Decoder of Confluent's wire format: magic byte, schema id, Avro of a `RetailEvent`."""

import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any, Protocol

import msgspec

from events.errors import DeadLetter
from events.parsing import parse

MAGIC = 0x00
HEADER_BYTES = 5
MAX_SCHEMA_ID = 2**31 - 1
RECORD = "RetailEvent"
RETAIL_EVENT = json.dumps(
    {
        "type": "record",
        "name": RECORD,
        "namespace": "signalbox",
        "doc": "The envelope of an event. payload is a JSON object in UTF-8.",
        "fields": [
            {"name": "event_id", "type": "string"},
            {"name": "event_type", "type": "string"},
            {"name": "source", "type": "string"},
            {"name": "version", "type": "string"},
            {"name": "occurred_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
            {"name": "tenant_id", "type": "string"},
            {"name": "payload", "type": "bytes"},
            {"name": "traceparent", "type": ["null", "string"], "default": None},
        ],
    }
)
"""The schema as we write it. Another version of it is read too: fields are found by their names."""

_REQUIRED = ("event_id", "event_type", "source", "version", "occurred_at", "tenant_id", "payload")
_FLAT = frozenset(
    {"null", "boolean", "int", "long", "float", "double", "bytes", "string", "enum", "fixed"},
)
_decode_raw = msgspec.json.Decoder(msgspec.Raw).decode
_encode = msgspec.json.Encoder().encode


class SchemaError(ValueError):
    """A schema by which no envelope can be written. Says what is wrong with it."""


class Writer:
    """One version of the schema, by which records were written."""

    def __init__(self, text: str) -> None:
        """`text` is the schema as JSON. Raises `SchemaError`."""
        # here, for whoever never meets Avro: it takes 28 ms to import
        from fastavro import parse_schema, schemaless_reader
        from fastavro.schema import SchemaParseException, UnknownType

        try:
            self._schema = parse_schema(_flat(json.loads(text)), {})
        except SchemaError:
            raise
        except (SchemaParseException, UnknownType, ValueError, TypeError, KeyError, RecursionError) as error:
            raise SchemaError(f"{type(error).__name__}: {error}") from error
        self._read = schemaless_reader

    def fields(self, body: bytes) -> dict[str, Any]:
        """A record's fields. Raises `DeadLetter` (undecodable)."""
        stream = BytesIO(body)
        try:
            record: Any = self._read(stream, self._schema, None)
        except EOFError as error:
            raise DeadLetter("undecodable", "Avro: cut short") from error
        except (ValueError, IndexError, OverflowError) as error:
            raise DeadLetter("undecodable", f"not Avro of its schema: {error}") from error
        if (left := len(body) - stream.tell()) > 0:
            raise DeadLetter("undecodable", f"not Avro of its schema: {left} bytes are left over")
        fields: dict[str, Any] = record
        return fields


class Schemas(Protocol):
    """The writers' schemas by their ids, each asked for once and then remembered."""

    def writer(self, schema_id: int) -> Writer:
        """Called for each record, by the thread that reads; may take seconds where a registry is asked.

        Raises `DeadLetter` (undecodable) if there is no such schema or it is no envelope's, and
        `Unavailable` if the registry cannot say: the record must be read again later.
        """


class FixedSchemas:
    """The registry where none is configured."""

    def __init__(self, texts: Mapping[int, str]) -> None:
        self._texts = texts
        self._writers: dict[int, Writer] = {}

    def writer(self, schema_id: int) -> Writer:
        """See `Schemas`."""
        if schema_id not in self._writers:
            if schema_id not in self._texts:
                known = ", ".join(map(str, self._texts))
                raise DeadLetter(
                    "undecodable",
                    f"Avro schema {schema_id} is not known; known without SCHEMA_REGISTRY_URL: {known}",
                )
            self._writers[schema_id] = parse_writer(schema_id, self._texts[schema_id])
        return self._writers[schema_id]


def parse_writer(schema_id: int, text: str) -> Writer:
    """The writer of a schema from a registry. Raises `DeadLetter` (undecodable) if it is no envelope's."""
    try:
        return Writer(text)
    except SchemaError as error:
        raise DeadLetter("undecodable", f"Avro schema {schema_id}: {error}") from error


SHIPPED_ID = 1
SHIPPED = FixedSchemas({SHIPPED_ID: RETAIL_EVENT})


def from_avro(value: bytes, schemas: Schemas) -> bytes:
    """The envelope's JSON. Raises `DeadLetter` (undecodable), and `Unavailable` as `schemas` does."""
    if len(value) < HEADER_BYTES:
        raise DeadLetter("undecodable", "begins with 0x00, and is too short for Avro with a schema id")
    schema_id = int.from_bytes(value[1:HEADER_BYTES], "big")
    if schema_id > MAX_SCHEMA_ID:
        raise DeadLetter("undecodable", f"begins with 0x00, and {schema_id} is no Avro schema's id")
    fields = schemas.writer(schema_id).fields(value[HEADER_BYTES:])
    payload = fields["payload"]
    # parsed before it is put into the envelope: `{},"tenant_id":"b"` must not become part of it
    fields["payload"] = parse(_decode_raw, payload.encode() if isinstance(payload, str) else payload)
    if fields.get("traceparent") is None:
        fields.pop("traceparent", None)
    return _encode(fields)


def _flat(schema: Any) -> dict[str, Any]:
    """The schema without logical types, which make dates of numbers. Raises `SchemaError`.

    A few bytes fill the memory by an array of nulls, and end the process by a record within itself: what is
    not flat belongs into the payload.
    """
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise SchemaError(f"it is no record: {json.dumps(schema)[:64]}")
    if str(schema.get("name")).rpartition(".")[2] != RECORD:
        raise SchemaError(f"its name must be {RECORD}, is {schema.get('name')}")
    types = {field["name"]: field["type"] for field in schema["fields"]}
    missing = [name for name in _REQUIRED if name not in types]
    if missing:
        raise SchemaError(f"it lacks {', '.join(missing)}")
    if _kind(types["payload"]) not in ("bytes", "string"):
        raise SchemaError("payload must be bytes or a string")
    for name, kind in types.items():
        nested = [each for each in (kind if isinstance(kind, list) else [kind]) if _kind(each) not in _FLAT]
        if nested:
            raise SchemaError(f"{name} has the type {_kind(nested[0])[:64]}: put it into the payload")
    return {**schema, "fields": [{**f, "type": _plain(f["type"])} for f in schema["fields"]]}


def _kind(schema: Any) -> str:
    return str(schema["type"] if isinstance(schema, dict) else schema)


def _plain(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if isinstance(schema, dict):
        return {key: value for key, value in schema.items() if key != "logicalType"}
    return schema
