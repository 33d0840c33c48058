"""Dead-letter replay: the original record, written again under the id that it has. Pure."""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from dispatcher.sorting import SourceRecord, sort
from events.avro import SHIPPED, Schemas
from events.deadletter import PREFIX, DeadLetterHeaders, Headers
from events.decision import Millis, Position
from events.errors import SignalboxError
from events.lane import decode_record
from events.timeliness import DECLARED, Spans
from events.topics import REPLAYS
from routing import Table
from transport.kafka import Outgoing


class NotReplayableError(SignalboxError):
    """This letter cannot be replayed, or would be back at once. It stays where it is."""


class Letter(NamedTuple):
    """A dead letter as it is in Kafka. `headers` are the original's, without what was said of it."""

    position: Position
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    said: DeadLetterHeaders


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """The record of one replay, in the topic `REPLAYS`: which letter went where, when (epoch ms), and why."""

    letter: Position
    to: str
    at: Millis
    by: str
    reason: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Replay).decode


def parse_letter(position: Position, key: bytes | None, value: bytes | None, headers: Headers) -> Letter:
    """Read a record of a dead-letter topic. Raises `DeadLetter` if it is none."""
    original = tuple((name, content) for name, content in headers if not name.startswith(PREFIX))
    return Letter(position, key, value, original, DeadLetterHeaders.parse(headers))


def again(
    letter: Letter,
    table: Table,
    now: Millis,
    schemas: Schemas = SHIPPED,
    spans: Spans = DECLARED,
) -> Outgoing:
    """The record to write: to the topic where it was refused, or to the lane of the workflow that gave it up.

    No other workflow that the event woke gets it again, and its prediction keeps the id that it has. Raises
    `NotReplayableError` with the reason, and `Unavailable` as `schemas` does.
    """
    said = letter.said
    if cut := said.truncated & {"value", "key"}:
        raise NotReplayableError(f"the letter holds only a part of the {' and '.join(sorted(cut))}")
    if said.prediction_id is None and (said.lane is not None or said.original.partition < 0):
        raise NotReplayableError(f"no event: what stood in {said.original} was written by no part of ours")
    record = SourceRecord(said.original, said.timestamp, letter.key, letter.value, letter.headers)
    outcome = sort(record, table, now, schemas, spans)
    if outcome.fate == "dead_letter":
        why = DeadLetterHeaders.parse(outcome.writes[0].headers)
        raise NotReplayableError(f"still refused as {why.cause}: {why.message}")
    if said.prediction_id is None:
        return Outgoing(said.original.topic, letter.value, letter.key, letter.headers)
    if outcome.fate == "routed":
        for write in outcome.writes:
            if decode_record(write.value or b"").decision.prediction_id == said.prediction_id:
                return write
    raise NotReplayableError(f"table {table.hash} has no route any more that leads to its workflow")


def replay_record(letter: Letter, to: str, at: Millis, by: str, reason: str) -> Outgoing:
    """What is written down of a replay, once Kafka has what was replayed."""
    replay = Replay(letter=letter.position, to=to, at=at, by=by, reason=reason)
    return Outgoing(REPLAYS, _encode(replay), str(letter.position).encode())


def replayed(values: Sequence[bytes | None]) -> dict[Position, Replay]:
    """The letters that were replayed, and their last replay, out of the topic `REPLAYS`.

    A record that is none of ours is passed over.
    """
    found = {}
    for value in values:
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            replay = _decode(value or b"")
            found[replay.letter] = replay
    return found
