"""Seeded mutations of events, of every kind, for tests and for whole runs."""

import copy
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stack.avro_mutations import AVRO_KINDS
from stack.examples import PAYLOADS, envelope

Event = dict[str, Any]
Header = tuple[str, bytes | None]
Wire = tuple[bytes | None, tuple[Header, ...]]

_ODD_NUMBERS = (-1, 0, 2**63, 2**64, -(2**63) - 1, 10**40, 1e308, -0.0, 0.1)
_ODD_STRINGS = ("", " ", "0", "\x00", "\u202e", "x" * 257, "1.0", "1.0.0\n", "01.0.0", "9.0.0", "1.0.0-rc.1")
_ODD: Sequence[Any] = (None, True, *_ODD_NUMBERS, *_ODD_STRINGS, [], {}, [[]], [None], {"": {}})
_TOKENS = (
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e999",
    b"9" * 5_000,
    b"01",
    b"+1",
    b".5",
    b"tru",
    b"'a'",
    b"",
)
_ESCAPES = (
    rb'"\ud800"',
    rb'"\udc00\ud800"',
    rb'"\u0000"',
    rb'"\x41"',
    b'"\xff\xfe"',
    b'"\xc0\xaf"',
    b'"\x01"',
)
_CE = "application/cloudevents+json"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A record for an event topic, and what damage was done to it. Each has an `event_id` of its own."""

    number: int
    kind: str
    value: bytes | None
    headers: tuple[Header, ...]


def mutants(seed: int, count: int, event_types: Sequence[str] = ()) -> Iterator[Mutant]:
    """`count` records, the same for the same seed. About one in twenty is left whole."""
    types = event_types or sorted(PAYLOADS)
    kinds = sorted(KINDS)
    for number in range(count):
        # a seed each: a mutant is found again without those before it
        chance = random.Random(f"{seed}:{number}")  # noqa: S311  # repeatable, not secret
        event = copy.deepcopy(envelope(chance.choice(types), f"mutant-{seed}-{number}"))
        kind = chance.choice(kinds)
        value, headers = KINDS[kind](event, chance)
        yield Mutant(number, kind, value, headers)


def _json(event: Event) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode()


def _holder(event: Event, chance: random.Random) -> Event:
    """The envelope itself, or its payload."""
    return event if chance.random() < 0.5 else event["payload"]


def _with_token(event: Event, chance: random.Random, token: bytes) -> bytes:
    """The event with a raw token in the place of a value, or of an undeclared one."""
    holder = _holder(event, chance)
    key = chance.choice([*holder, "nobody_asked"])
    holder[key] = "@here@"
    return _json(event).replace(b'"@here@"', token)


def _whole(event: Event, _: random.Random) -> Wire:
    return _json(event), ()


def _nothing(_: Event, chance: random.Random) -> Wire:
    return chance.choice((None, b"", b" ", b"\n\n", b"{}", b"null", b"[]", b"{", b'"')), ()


def _bits_flipped(event: Event, chance: random.Random) -> Wire:
    damaged = bytearray(_json(event))
    for _ in range(chance.randint(1, 8)):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged), ()


def _bytes_replaced(event: Event, chance: random.Random) -> Wire:
    damaged = bytearray(_json(event))
    at = chance.randrange(len(damaged))
    damaged[at : at + chance.randint(0, 16)] = chance.randbytes(chance.randint(0, 16))
    return bytes(damaged), ()


def _cut_short(event: Event, chance: random.Random) -> Wire:
    whole = _json(event)
    return whole[: chance.randrange(1, len(whole))], ()


def _noise(_: Event, chance: random.Random) -> Wire:
    first = chance.choice((b"", b"\x00\x00\x00\x00\x07", b"{", b"\xef\xbb\xbf", b"\xff\xfe", b"PAR1"))
    return first + chance.randbytes(chance.randint(1, 300)), ()


def _field_dropped(event: Event, chance: random.Random) -> Wire:
    holder = _holder(event, chance)
    del holder[chance.choice(list(holder))]
    return _json(event), ()


def _wrong_type(event: Event, chance: random.Random) -> Wire:
    holder = _holder(event, chance)
    holder[chance.choice(list(holder))] = chance.choice(_ODD)
    return _json(event), ()


def _field_added(event: Event, chance: random.Random) -> Wire:
    holder = _holder(event, chance)
    holder[chance.choice(("nobody_asked", "specversion", "id", "", "payload ", "traceparent"))] = (
        chance.choice(_ODD)
    )
    return _json(event), ()


def _field_doubled(event: Event, chance: random.Random) -> Wire:
    key = chance.choice(list(event))
    return b"{%b:%b,%b" % (json.dumps(key).encode(), _json(chance.choice(_ODD)), _json(event)[1:]), ()


def _huge(event: Event, chance: random.Random) -> Wire:
    holder = _holder(event, chance)
    size = chance.choice((300, 5_000, 100_000, 100_000, 1_100_000))
    key = chance.choice([*holder, "nobody_asked"])
    holder[key] = chance.choice(("x" * size, "ß" * (size // 2), [0] * (size // 3), {"k" * size: 1}))
    return _json(event), ()


def _deep(event: Event, chance: random.Random) -> Wire:
    depth = chance.choice((10, 60, 70, 200, 990, 5_000, 100_000))
    opening, closing = chance.choice(((b"[", b"]"), (b'{"a":', b"}")))
    inside = chance.choice((b"", b"1")) if opening == b"[" else b"1"
    ends = closing * depth if chance.random() < 0.8 else b""
    return _with_token(event, chance, opening * depth + inside + ends), ()


def _odd_number(event: Event, chance: random.Random) -> Wire:
    return _with_token(event, chance, chance.choice(_TOKENS)), ()


def _odd_text(event: Event, chance: random.Random) -> Wire:
    return _with_token(event, chance, chance.choice(_ESCAPES)), ()


def _other_payload(event: Event, chance: random.Random) -> Wire:
    event["payload"] = PAYLOADS[chance.choice(sorted(PAYLOADS))]
    return _json(event), ()


def _unknown(event: Event, chance: random.Random) -> Wire:
    key, values = chance.choice(
        (
            ("event_type", ("order.plcaed", "ORDER.PLACED", "order")),
            ("version", ("2.0.0", "0.9.0", "999999.0.0")),
        )
    )
    event[key] = chance.choice(values)
    return _json(event), ()


def _odd_headers(event: Event, chance: random.Random) -> Wire:
    names = (
        "content-type",
        "Content-Type",
        "ce_id",
        "ce_specversion",
        "ce_",
        "traceparent",
        "dlq.attempts",
        "",
    )
    values = (
        None,
        b"",
        _CE.encode(),
        b"application/avro",
        b"1.0",
        b"\xff",
        b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01",
    )
    count = chance.randint(1, 4)
    return _json(event), tuple((chance.choice(names), chance.choice(values)) for _ in range(count))


def _cloud_attributes(event: Event, chance: random.Random) -> Event:
    attributes = {
        "specversion": "1.0",
        "id": event["event_id"],
        "type": event["event_type"],
        "source": event["source"],
        "time": "2026-11-21T13:00:00Z",
        "tenantid": event["tenant_id"],
        "eventversion": event["version"],
    }
    key = chance.choice(list(attributes))
    match chance.randrange(4):
        case 0:
            del attributes[key]
        case 1:
            attributes[key] = chance.choice(
                ("", "0.3", "yesterday", "x" * 300, "2026-11-21T13:00:00", "\x00")
            )
    return attributes


def _cloud_structured(event: Event, chance: random.Random) -> Wire:
    attributes = _cloud_attributes(event, chance)
    attributes[chance.choice(("data", "data", "data", "data_base64", "nothing"))] = event["payload"]
    marked: tuple[Header, ...] = (("content-type", _CE.encode()),)
    return _json(attributes), marked if chance.random() < 0.5 else ()


def _cloud_binary(event: Event, chance: random.Random) -> Wire:
    attributes = _cloud_attributes(event, chance)
    headers: list[Header] = [(f"ce_{name}", str(value).encode()) for name, value in attributes.items()]
    headers.append(
        ("content-type", chance.choice((b"application/json", b"application/json", b"text/plain", b"\xff")))
    )
    data = _json(event["payload"])
    damage = (data, data, data[:-1], data + b',"tenant_id":"other"', b"null", b"[" * 100_000)
    return chance.choice(damage), tuple(headers)


KINDS: dict[str, Callable[[Event, random.Random], Wire]] = {
    "whole": _whole,
    "nothing": _nothing,
    "bits flipped": _bits_flipped,
    "bytes replaced": _bytes_replaced,
    "cut short": _cut_short,
    "noise": _noise,
    "field dropped": _field_dropped,
    "wrong type": _wrong_type,
    "field added": _field_added,
    "field doubled": _field_doubled,
    "huge": _huge,
    "deep": _deep,
    "odd number": _odd_number,
    "odd text": _odd_text,
    "another type's payload": _other_payload,
    "unknown type or version": _unknown,
    "odd headers": _odd_headers,
    "CloudEvent, structured": _cloud_structured,
    "CloudEvent, binary": _cloud_binary,
    **AVRO_KINDS,
}
