"""What is written for one source record: to its lanes, the dead letters, the unrouted, or nothing. Pure."""

from typing import Literal, NamedTuple

import msgspec

from events.accepting import accept
from events.avro import SHIPPED, Schemas
from events.codec import Headers
from events.cutting import KEPT_BYTES, size
from events.deadletter import Letter, dead_letter, reduced
from events.decision import Millis, Position
from events.envelope import Envelope
from events.errors import DeadLetter
from events.lane import Original, Waiting, encode_waiting
from events.timeliness import DECLARED, Spans
from events.topics import DEAD_LETTERS, UNROUTED
from routing import Table, route
from transport.kafka import Outgoing
from transport.topics import LANE_BYTES

Fate = Literal["routed", "ignored", "unrouted", "dead_letter"]

_decode_waiting = msgspec.json.Decoder(Waiting).decode

# what a record's framing takes beside its value, key and headers
_FRAMING = 1_024
_UNROUTED_HEADERS = 5
# how much of its original a dead letter keeps that Kafka refused once, and twice
_LESS = (KEPT_BYTES, 0)


class SourceRecord(NamedTuple):
    """A record of the source topic; `entered_at` (epoch ms) is when it came there.

    `fault` says why its headers cannot be read, if they cannot.
    """

    position: Position
    entered_at: Millis
    key: bytes | None
    value: bytes | None
    headers: Headers | None
    fault: DeadLetter | None = None


class Sorted(NamedTuple):
    """What became of a record, and what is to be written for it."""

    fate: Fate
    writes: tuple[Outgoing, ...] = ()
    cause: str | None = None


def sort(
    record: SourceRecord,
    table: Table,
    now: Millis,
    schemas: Schemas = SHIPPED,
    spans: Spans = DECLARED,
) -> Sorted:
    """Decode, validate and route one record, whatever its bytes are.

    Raises `Unavailable` if the schema registry must be asked and cannot: nothing is decided then. A
    payload is validated whether its type has a route or not: what is wrong with an event does not depend on
    the table of the day.
    """
    try:
        if record.fault is not None:
            raise record.fault
        accepted = accept(record.value, record.headers, record.entered_at, schemas, spans)
        if not accepted.declared:
            return Sorted("unrouted", (_unrouted(record, table),))
        writes = _lane_records(record, accepted.event, accepted.json, table)
    except DeadLetter as error:
        return Sorted("dead_letter", (dead_lettered(record, error, table.hash, now),), error.cause)
    return Sorted("routed", writes) if writes else Sorted("ignored")


def dead_lettered(record: SourceRecord, error: DeadLetter, table_hash: str, now: Millis) -> Outgoing:
    """The record for the dead-letter topic of the source."""
    letter = dead_letter(
        source=record.position,
        timestamp=record.entered_at,
        value=record.value,
        key=record.key,
        headers=record.headers,
        error=error,
        cause=error.cause,
        attempts=1,
        first_failure=now,
        last_failure=now,
        table_hash=table_hash,
        lost=() if record.fault is None else ("headers",),
    )
    return Outgoing(DEAD_LETTERS, *letter)


def smaller(write: Outgoing, attempt: int, now: Millis) -> Outgoing | None:
    """What to write in place of a record that Kafka refused as too large, `attempt` times by now.

    A dead letter is written with less of its original, then with nothing of it; None if even that was
    refused. Anything else becomes a dead letter.
    """
    if write.topic == UNROUTED:
        return _unrouted_too_large(write, now)
    if write.topic != DEAD_LETTERS:
        return too_large(write.value or b"", write.key, now)
    if attempt > len(_LESS):
        return None
    letter = Letter(write.value, write.key, tuple(write.headers))
    return Outgoing(DEAD_LETTERS, *reduced(letter, _LESS[attempt - 1]))


def too_large(lane_value: bytes, key: bytes | None, now: Millis) -> Outgoing:
    """The dead letter of an event whose lane record Kafka refused, though it is below our own limit.

    Such a lane topic was made by hand, with a limit of its own.
    """
    waiting = _decode_waiting(lane_value)
    decision, original = waiting.decision, waiting.original or Original(bytes(waiting.event))
    error = DeadLetter("too_large", f"{decision.lane} does not take {len(lane_value)} bytes")
    record = SourceRecord(
        decision.source, decision.deadline - decision.sla_ms, key, original.value, original.headers
    )
    return dead_lettered(record, error, decision.table_hash, now)


def _lane_records(record: SourceRecord, event: Envelope, json: bytes, table: Table) -> tuple[Outgoing, ...]:
    original = None
    if json is not record.value or record.headers:
        original = Original(record.value or b"", tuple(record.headers or ()))
    raw = msgspec.Raw(json)
    writes = []
    for decision in route(event, table, record.position, record.entered_at):
        value = encode_waiting(Waiting(raw, decision, original))
        if (total := size(value, record.key, ())) + _FRAMING > LANE_BYTES:
            raise DeadLetter(
                "too_large", f"{total} bytes with its decision and key; {decision.lane} takes {LANE_BYTES}"
            )
        writes.append(Outgoing(decision.lane, value, record.key))
    return tuple(writes)


def _unrouted(record: SourceRecord, table: Table) -> Outgoing:
    where = (
        ("unrouted.original.topic", record.position.topic.encode()),
        ("unrouted.original.partition", b"%d" % record.position.partition),
        ("unrouted.original.offset", b"%d" % record.position.offset),
        ("unrouted.original.timestamp", b"%d" % record.entered_at),
        ("unrouted.table_hash", table.hash.encode()),
    )
    headers = (*(record.headers or ()), *where)
    if (total := size(record.value, record.key, headers)) + _FRAMING > LANE_BYTES:
        raise DeadLetter("too_large", f"{total} bytes; {UNROUTED} takes {LANE_BYTES}")
    return Outgoing(UNROUTED, record.value, record.key, headers)


def _unrouted_too_large(write: Outgoing, now: Millis) -> Outgoing:
    """The dead letter of a record of an undeclared type, if its topic was made for smaller records."""
    original, ours = write.headers[:-_UNROUTED_HEADERS], write.headers[-_UNROUTED_HEADERS:]
    said = {name.removeprefix("unrouted."): (content or b"").decode() for name, content in ours}
    position = Position(said["original.topic"], int(said["original.partition"]), int(said["original.offset"]))
    record = SourceRecord(position, int(said["original.timestamp"]), write.key, write.value, original)
    error = DeadLetter("too_large", f"{UNROUTED} does not take {len(write.value or b'')} bytes")
    return dead_lettered(record, error, said["table_hash"], now)
