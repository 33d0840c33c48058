"""Online reads of materialised batch views: from Redis, and from SQL what Redis does not have."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from events.decision import Millis
from features.heartbeats import Heartbeats
from features.keys import row_key, shelf_of
from features.reading import Of, RowSource, Value, Values
from features.views import DAY_S, BatchView, Field
from features.wanted import Bools, Ints, Who

UNKNOWN_TTL_S = 60
"""How long it stands online that a table has no row of an entity."""

_HEADER = struct.Struct("<BQ")
_VERSION = 2
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[str, float | str]).decode
_NO_VALUES = Values(0, {})


def encode_values(row: Values) -> bytes:
    """The byte 2, the event time (epoch ms, unsigned 64 bits, little-endian), a MessagePack map of values."""
    return _HEADER.pack(_VERSION, row.event_time) + _encode(row.values)


def decode_values(row: bytes | None) -> Values | None:
    """What `encode_values` was given; None if there is no row, or the bytes are none."""
    if row is None or len(row) < _HEADER.size:
        return None
    version, event_time = _HEADER.unpack_from(row)
    if version != _VERSION:
        return None
    try:
        return Values(event_time, _decode(memoryview(row)[_HEADER.size :]))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


@dataclass(frozen=True, slots=True, eq=False)
class BatchAnswer:
    """For each event that asks: a value or None for each field, and the time that they are of (-1 for none).

    `as_of` (epoch ms): the table was looked at then, -1 if nothing says so. `rows` (key, bytes, seconds
    to live) are to be put online.
    """

    values: list[tuple[Value | None, ...]]
    newest: Ints
    offline: Bools
    as_of: Millis
    rows: list[tuple[str, bytes, int]]


def answer(
    view: BatchView, who: Who, at: Ints, stored: Sequence[bytes | None], beats: Heartbeats, source: RowSource
) -> BatchAnswer:
    """The answer to each event, from what stood online under the keys of `who`.

    Raises `Unavailable` if SQL must be asked and cannot.
    """
    found = [decode_values(row) for row in stored]
    lacking = [place for place, row in enumerate(found) if row is None]
    as_of = beats.views.get(view.name, -1)
    rows: list[tuple[str, bytes, int]] = []
    if lacking:
        keys = who.keys(lacking)
        fetched = source.batch_rows(view, keys)
        as_of = max(as_of, -1 if fetched.as_of is None else fetched.as_of)
        for place, key in zip(lacking, keys, strict=True):
            found[place] = fetched.values.get(key, _NO_VALUES)
        rows = [_row(view, key, fetched.values) for key in keys]
    known = [row or _NO_VALUES for row in (*found, None)]
    asking = zip(who.of.tolist(), at.tolist(), strict=True)
    answers = [_values(view, known[place], time) for place, time in asking]
    newest = np.array([row.event_time if row.values else -1 for row in known], np.int64)[who.of]
    return BatchAnswer(answers, newest, np.isin(who.of, lacking), as_of, rows)


def _row(view: BatchView, key: Of, fetched: Mapping[Of, Values]) -> tuple[str, bytes, int]:
    row = fetched.get(key)
    ttl_s = UNKNOWN_TTL_S if row is None else view.ttl_days * DAY_S
    return row_key(key[0], shelf_of(view), key[1]), encode_values(row or _NO_VALUES), ttl_s


def _values(view: BatchView, row: Values, at: Millis) -> tuple[Value | None, ...]:
    if at - row.event_time > view.ttl_days * DAY_S * 1_000:
        return (None,) * len(view.fields)
    return tuple(_checked(field, row.values.get(field.name)) for field in view.fields)


def _checked(field: Field, value: Value | None) -> Value | None:
    """The value, where it is of the field's type."""
    return value if isinstance(value, str) == (field.type == "text") else None
