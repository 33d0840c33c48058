"""A worker's dead letters: the original record untouched, the error, and the attempts."""

from dataclasses import dataclass

import msgspec

from events.deadletter import Headers, Letter, reduced
from events.deadletter import dead_letter as letter
from events.decision import Millis, Position, dead_letter_topic
from events.errors import Cause
from events.lane import Fed, LaneRecord, Original
from transport.kafka import Outgoing

MOST_BYTES = 1_000_000
MOST_HEADER_BYTES = 50_000
SHORTER_BYTES = (65_536, 1_024, 0)
"""How much of an original is kept, one after the other, for a topic that does not take the dead letter."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What is said of an event that is given up. Times are epoch milliseconds."""

    cause: Cause
    error: BaseException
    attempts: int
    first: Millis
    last: Millis


class _AsItCame(msgspec.Struct, frozen=True):
    """A lane's record with the event's bytes as its producer wrote them."""

    event: msgspec.Raw
    original: Original | None = None


_decode_as_it_came = msgspec.json.Decoder(_AsItCame).decode


def dead_letter(fed: Fed, record: LaneRecord | None, queue: str, failure: Failure) -> Outgoing:
    """The record for the queue's dead-letter topic. `record` is None if the lane's could not be read."""
    if record is None:
        written = letter(
            source=fed.lane,
            timestamp=fed.timestamp,
            value=bytes(fed.record),
            key=fed.key,
            headers=None,
            error=failure.error,
            cause=failure.cause,
            attempts=failure.attempts,
            first_failure=failure.first,
            last_failure=failure.last,
            lane=fed.lane,
        )
    else:
        decision = record.decision
        value, headers = _original(fed)
        written = letter(
            source=decision.source,
            timestamp=decision.deadline - decision.sla_ms,
            value=value,
            key=fed.key,
            headers=headers,
            error=failure.error,
            cause=failure.cause,
            attempts=failure.attempts,
            first_failure=failure.first,
            last_failure=failure.last,
            table_hash=decision.table_hash,
            traceparent=record.event.traceparent,
            lane=fed.lane,
            prediction_id=decision.prediction_id,
        )
    return Outgoing(dead_letter_topic(queue), *written)


def malformed(queue: str, value: bytes, headers: str, failure: Failure) -> Outgoing:
    """The dead letter of a Celery message that is none of ours: its bytes, and its headers as text.

    Of a body that Kafka might not take, the beginning: it must not come back for ever.
    """
    written = letter(
        source=Position(f"celery:{queue}", -1, -1),
        timestamp=failure.last,
        value=value[:MOST_BYTES],
        key=None,
        headers=[
            ("celery.headers", headers.encode("utf-8", "backslashreplace")[:MOST_HEADER_BYTES]),
            ("celery.bytes", str(len(value)).encode()),
        ],
        error=failure.error,
        cause=failure.cause,
        attempts=failure.attempts,
        first_failure=failure.first,
        last_failure=failure.last,
    )
    return Outgoing(dead_letter_topic(queue), *written)


def shortened(written: Outgoing) -> Outgoing | None:
    """The same dead letter with less of its original, for a topic that does not take it; None if empty."""
    letter = Letter(written.value, written.key, tuple(written.headers))
    for most in SHORTER_BYTES:
        shorter = reduced(letter, most)
        if shorter != letter:
            return Outgoing(written.topic, *shorter)
    return None


def _original(fed: Fed) -> tuple[bytes, Headers | None]:
    raw = _decode_as_it_came(fed.record)
    if raw.original is None:
        return bytes(raw.event), None
    return raw.original.value, raw.original.headers
