"""What a feeder keeps of a lane's record until it is sent."""

import base64
from typing import NamedTuple

import msgspec
from confluent_kafka import Message

from events.decision import Position
from events.lane import Fed
from transport.kafka import position_of

_check = msgspec.json.Decoder(msgspec.Raw).decode
_encode = msgspec.json.Encoder().encode

# what a record's position, timestamp and key add to a message
_FRAMING = 128


class HeldRecord(NamedTuple):
    """A lane's record in the form in which it is sent; `size` in bytes."""

    position: Position
    size: int
    fed: Fed


def held(message: Message) -> HeldRecord:
    """A record as it was read.

    A value that is no JSON, which a router never writes, would make its whole batch unreadable: it goes as a
    string, and the worker finds of it alone that it is no lane record.
    """
    value = message.value() or b"null"
    try:
        raw = _check(value)
    except (msgspec.DecodeError, RecursionError):
        raw = msgspec.Raw(_encode(base64.b64encode(value)))
    position = position_of(message)
    fed = Fed(position, message.timestamp()[1], raw, message.key())
    return HeldRecord(position, len(value) + _FRAMING, fed)
