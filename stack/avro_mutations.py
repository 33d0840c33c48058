"""Seeded damage of Avro events, as `stack.mutations` does it to the other forms."""

import json
import random
from collections.abc import Callable
from typing import Any

from stack.emission import in_avro

Event = dict[str, Any]
Wire = tuple[bytes | None, tuple[tuple[str, bytes | None], ...]]

_FRAME = 5
_VARINTS = (b"\xff" * 9 + b"\x01", b"\xff" * 20, b"\xfe\xff\xff\xff\x0f", b"\x01", b"\x80", b"\x00")
_PAYLOADS = (
    b"",
    b"{}",
    b"null",
    b"[]",
    b"{",
    b'{},"tenant_id":"other"',
    b'{"a":NaN}',
    b'{"a":"\xff"}',
    b"[" * 100_000,
    b'{"a":' * 70 + b"1" + b"}" * 70,
)
_FIELDS: tuple[tuple[str, object], ...] = (
    ("event_id", ""),
    ("event_id", "x" * 257),
    ("version", "1"),
    ("version", "9.0.0"),
    ("occurred_at", -1),
    ("occurred_at", 2**62),
    ("tenant_id", "\x00"),
    ("traceparent", "x" * 100_000),
)


def _written(event: Event, **changes: object) -> bytes:
    payload = json.dumps(event["payload"], ensure_ascii=False).encode()
    return in_avro({**event, "payload": payload, **changes})


def _whole(event: Event, _: random.Random) -> Wire:
    return _written(event), ()


def _bits_flipped(event: Event, chance: random.Random) -> Wire:
    damaged = bytearray(_written(event))
    for _ in range(chance.randint(1, 8)):
        damaged[chance.randrange(_FRAME, len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged), ()


def _cut_short(event: Event, chance: random.Random) -> Wire:
    whole = _written(event)
    # a record without its last byte lacks the union's branch
    return whole[: chance.randrange(1, len(whole))], ()


def _left_over(event: Event, chance: random.Random) -> Wire:
    return _written(event) + chance.randbytes(chance.randint(1, 20)), ()


def _odd_number(event: Event, chance: random.Random) -> Wire:
    """A length, or the branch of a union, that no writer writes."""
    whole = _written(event)
    at = chance.choice((_FRAME, len(whole) - 1))
    return whole[:at] + chance.choice(_VARINTS) + whole[at + 1 :], ()


def _another_schema(event: Event, chance: random.Random) -> Wire:
    schema_id = chance.choice((0, 7, 2**31 - 1, 2**31, 2**32 - 1))
    return b"\x00" + schema_id.to_bytes(4, "big") + _written(event)[_FRAME:], ()


def _odd_field(event: Event, chance: random.Random) -> Wire:
    return _written(event, **dict((chance.choice(_FIELDS),))), ()


def _odd_payload(event: Event, chance: random.Random) -> Wire:
    return _written(event, payload=chance.choice(_PAYLOADS)), ()


AVRO_KINDS: dict[str, Callable[[Event, random.Random], Wire]] = {
    "Avro, whole": _whole,
    "Avro, bits flipped": _bits_flipped,
    "Avro, cut short": _cut_short,
    "Avro, left over": _left_over,
    "Avro, odd number": _odd_number,
    "Avro, another schema": _another_schema,
    "Avro, odd field": _odd_field,
    "Avro, odd payload": _odd_payload,
}
