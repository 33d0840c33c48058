"""What a lane's record and a Celery message look like between router, feeder and worker."""

import base64
import zlib

import msgspec

from events.decision import Decision, Millis, Position
from events.envelope import Envelope
from events.errors import DeadLetter


class Original(msgspec.Struct, frozen=True):
    """The record as its producer wrote it, kept where the lane holds the event in another form."""

    value: bytes
    headers: tuple[tuple[str, bytes | None], ...] = ()


class Waiting(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the router writes to a lane: the event's JSON as it came, and what was decided for it."""

    event: msgspec.Raw
    decision: Decision
    original: Original | None = None


class LaneRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """The same record as a reader sees it."""

    event: Envelope
    decision: Decision
    original: Original | None = None


class Fed(msgspec.Struct, frozen=True, omit_defaults=True):
    """A lane's record on its way to a worker: where it stands, its Kafka key and timestamp, its bytes."""

    lane: Position
    timestamp: Millis
    record: msgspec.Raw
    key: bytes | None = None


class Batch(msgspec.Struct, frozen=True, omit_defaults=True):
    """The one argument of every inference task.

    `fed_at` (epoch ms) is when the first message with these records was sent. `losses` counts the workers
    that were lost while they held them. `first_failure` (epoch ms) is when the first attempt failed.
    """

    fed_at: Millis
    records: tuple[Fed, ...]
    losses: int = 0
    first_failure: Millis | None = None

    def __len__(self) -> int:
        return len(self.records)


MAX_BATCH_BYTES = 64_000_000
"""Of a batch's JSON. A feeder sends about a megabyte, or one record; what claims more is not its."""

_encoder = msgspec.json.Encoder()
_decode_batch = msgspec.json.Decoder(Batch).decode
_decode_record = msgspec.json.Decoder(LaneRecord).decode


def encode_waiting(record: Waiting) -> bytes:
    """The value of a lane's record: one JSON object."""
    return _encoder.encode(record)


def decode_record(value: bytes | msgspec.Raw) -> LaneRecord:
    """Read a lane's record. Raises `DeadLetter` (undecodable) if no router wrote these bytes."""
    try:
        return _decode_record(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DeadLetter("undecodable", f"not a lane record: {error}") from error


def encode_batch(batch: Batch) -> str:
    """A batch as a Celery argument: JSON, deflated, in base64.

    Celery decodes a message's JSON twice (in the worker's main process and in the child): a string without
    quotes to escape costs a quarter of nested objects (`benchmarks/argument.py`). The records of a batch
    resemble each other: 844 bytes of each become 137, and to send one costs 4.5 us of processor time instead
    of 10.
    """
    return base64.b64encode(zlib.compress(_encoder.encode(batch), 1)).decode("ascii")


def decode_batch(argument: object) -> Batch:
    """Read a Celery argument. Raises `DeadLetter` (undecodable) if it is not a batch."""
    if not isinstance(argument, str):
        raise DeadLetter("undecodable", f"a batch is a base64 string, not {type(argument).__name__}")
    try:
        inflater = zlib.decompressobj()
        inflated = inflater.decompress(base64.b64decode(argument, validate=True), MAX_BATCH_BYTES)
        if not inflater.eof:
            raise DeadLetter("undecodable", f"not a batch: cut short, or larger than {MAX_BATCH_BYTES} bytes")
        return _decode_batch(inflated)
    except (msgspec.MsgspecError, zlib.error, ValueError, RecursionError) as error:
        raise DeadLetter("undecodable", f"not a batch: {error}") from error
