"""What a feeder keeps of a lane's record until it is sent."""

import base64
from typing import NamedTuple

import msgspec
from confluent_kafka import Message

from events.cutting import cut
from events.decision import Position
from events.lane import Fed
from transport.kafka import position_of
from transport.topics import LANE_BYTES

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

    A router never writes a value that is no JSON, which would make its whole batch unreadable, or one of
    70 MB, which no message takes: such a value goes as a string, and the worker refuses it alone.
    """
    position, whole = position_of(message), cut(message.value(), message.key(), (), LANE_BYTES)
    if whole.sha256 is not None:
        said = f"{whole.length} bytes, SHA-256 {whole.sha256}, begin with "
        raw = _as_text(said.encode(), whole.value or b"")
    else:
        raw = _as_json(whole.value or b"null")
    fed = Fed(position, message.timestamp()[1], raw, whole.key)
    return HeldRecord(position, len(raw) + len(whole.key or b"") + _FRAMING, fed)


def _as_json(value: bytes) -> msgspec.Raw:
    try:
        if not value.isascii():
            value.decode()
        return _check(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _as_text(b"", value)


def _as_text(said: bytes, value: bytes) -> msgspec.Raw:
    return msgspec.Raw(_encode((said + base64.b64encode(value)).decode()))
