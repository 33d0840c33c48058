"""Corruption of a valid event, one way for each cause for which the router dead-letters."""

import random
from collections.abc import Callable

import msgspec

from events.errors import Cause
from stack.emission import Event, Headers, in_form

Damaged = tuple[bytes, Headers, Cause]


def damaged(event: Event, rng: random.Random) -> Damaged:
    """Value and headers of the event after something went wrong, and the cause that must be named."""
    return rng.choice(WAYS)(event, rng)


def cut_short(event: Event, rng: random.Random) -> Damaged:
    """Half of the JSON arrived."""
    value, headers = in_form(event, "json")
    return value[: rng.randrange(1, len(value) - 1)], headers, "undecodable"


def no_json(event: Event, _rng: random.Random) -> Damaged:
    """A line of a log came in the event's place."""
    return f"ERROR could not send {event.event_id}".encode(), (), "undecodable"


def another_format(_event: Event, rng: random.Random) -> Damaged:
    """Avro with a schema id, which comes to a topic of JSON by a wrong setting."""
    return b"\x00\x00\x00\x00\x07" + rng.randbytes(40), (), "undecodable"


def no_tenant(event: Event, _rng: random.Random) -> Damaged:
    """A field of the envelope is missing."""
    envelope = msgspec.to_builtins(event)
    del envelope["tenant_id"]
    return msgspec.json.encode(envelope), (), "invalid_envelope"


def time_as_text(event: Event, _rng: random.Random) -> Damaged:
    """A field of the envelope is of another type."""
    envelope = msgspec.to_builtins(event) | {"occurred_at": "this morning"}
    return msgspec.json.encode(envelope), (), "invalid_envelope"


def from_the_future(event: Event, _rng: random.Random) -> Damaged:
    """The producer was deployed before its contract."""
    ahead = msgspec.structs.replace(event, version="9.0.0")
    return *in_form(ahead, "json"), "unknown_version"


def no_customer(event: Event, _rng: random.Random) -> Damaged:
    """A required field of the payload is missing."""
    payload = {name: value for name, value in event.payload.items() if name != "customer_id"}
    return *in_form(msgspec.structs.replace(event, payload=payload), "json"), "invalid_payload"


def amount_as_text(event: Event, _rng: random.Random) -> Damaged:
    """A field of the payload is of another type."""
    payload = {**event.payload, "amount": "a lot"}
    return *in_form(msgspec.structs.replace(event, payload=payload), "json"), "invalid_payload"


WAYS: tuple[Callable[[Event, random.Random], Damaged], ...] = (
    cut_short,
    no_json,
    another_format,
    no_tenant,
    time_as_text,
    from_the_future,
    no_customer,
    amount_as_text,
)
