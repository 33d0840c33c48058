"""What the records in Kafka say became of each source record: taken in from the topics, in any order. Pure.

A lane record is the router's decision: an event that has one was routed, by whichever table was in force. A
dead letter of the source and an unrouted record are decisions too. Only a source record without any trace is
judged by the table in force.
"""

import struct
from collections import Counter
from collections.abc import Mapping
from typing import Literal, NamedTuple

from events.accepting import accept
from events.avro import SHIPPED, Schemas
from events.codec import Headers
from events.decision import Millis, Position
from events.errors import CAUSES, Cause, DeadLetter
from events.timeliness import DECLARED, Spans
from monitoring.held import Partition
from monitoring.slots import Slots
from routing import Table

Verdict = Literal["routable", "ignored", "undeclared", "refused"]
VERDICTS: tuple[Verdict | None, ...] = (None, "routable", "ignored", "undeclared", "refused")

LANE, REFUSED, UNROUTED, OUTCOME = 1, 2, 4, 8
"""The traces of a source record: a record in a lane, in the dead letters, among the unrouted, an outcome."""

RECORD, FOREIGN, PREDICTED, DEAD, MISMATCH = 1, 2, 4, 8, 16
"""What is known of a lane's offset. `MISMATCH`: its outcome has another id than its record."""

SOURCE_LAYOUT = struct.Struct("<BBBBI")
"""Verdict, traces, cause of its dead letter, number of the table that decided, second of its entry."""
LANE_LAYOUT = struct.Struct("<16sQIBB")
"""Prediction id, packed place of the source record, second of its entry, flags, cause of its dead letter."""

FURTHEST = 2**48
"""Beyond the offsets of any topic: what claims one is none of ours."""
UNREADABLE_KEPT = 100
OTHER_TABLE = 255


class SourceRecord(NamedTuple):
    """A record of the source topic; `entered_at` (epoch ms) is its Kafka timestamp.

    `fault` is why its headers could not be read.
    """

    position: Position
    entered_at: Millis
    value: bytes | None
    headers: Headers | None
    fault: DeadLetter | None = None


class Ledger:
    """Both sides of the account, by where records are in Kafka: 8 bytes a source record, 30 a lane record.

    `reached` has the next offset to read of each partition of the source. The counters are running figures:
    what is counted twice or too late is put right by `balance.strike`.
    """

    def __init__(self, table: Table, schemas: Schemas = SHIPPED, spans: Spans = DECLARED) -> None:
        self.table_hash = table.hash
        self.sources: dict[Partition, Slots] = {}
        self.lanes: dict[Partition, Slots] = {}
        self.partitions: list[Partition] = []
        self.tables: list[str] = []
        self.reached: dict[Partition, int] = {}
        self.until: Mapping[Partition, int] | None = None
        self.verdicts: Counter[Verdict] = Counter()
        self.refused: Counter[Cause] = Counter()
        self.letters: Counter[Cause] = Counter()
        self.owed = self.predictions = self.repeated = self.foreign = 0
        self.unreadable: dict[Position, str] = {}
        self._event_types = table.routes.keys()
        self._schemas = schemas
        self._spans = spans
        self._numbers: dict[Partition, int] = {}

    @property
    def read(self) -> int:
        """Source records taken in."""
        return self.verdicts.total()

    @property
    def number_of_table_in_force(self) -> int:
        """Its number among the tables that decided what was taken in; 0 if it decided nothing yet."""
        return self.tables.index(self.table_hash) + 1 if self.table_hash in self.tables else 0

    @property
    def open(self) -> int:
        """Lane records without an outcome so far."""
        return max(0, self.owed - self.predictions - self.letters.total())

    def on_source(self, record: SourceRecord) -> None:
        """A record of the source topic. Raises `Unavailable` as `schemas` does."""
        at = record.position
        verdict = self._verdict(record)
        partition = (at.topic, at.partition)
        self.reached[partition] = at.offset + 1
        _, traces, cause, table, _ = self._source(partition).get(at.offset)
        self.verdicts[verdict] += 1
        number = VERDICTS.index(verdict)
        self._source(partition).put(at.offset, number, traces, cause, table, _second(record.entered_at))

    def on_lane(self, lane: Position, prediction_id: str, source: Position, table: str, at: Millis) -> None:
        """A record of a lane, written at `at` (epoch ms). Raises `ValueError` if it is none of ours."""
        name, slots = _digest(prediction_id), self._lane(lane)
        self._trace(source, LANE, table=table)
        known, _, _, flags, cause = slots.get(lane.offset)
        if flags & (PREDICTED | DEAD) and known != name:
            flags |= MISMATCH
        self.owed += 1
        slots.put(lane.offset, name, self._pack(source), _second(at), flags | RECORD, cause)

    def on_foreign_lane_record(self, lane: Position) -> None:
        """A record of a lane that no router wrote; a worker makes a dead letter of it."""
        known, source, second, flags, cause = self._lane(lane).get(lane.offset)
        self._lane(lane).put(lane.offset, known, source, second, flags | FOREIGN, cause)

    def on_prediction(self, prediction_id: str, lane: Position, source: Position) -> None:
        """A record of `ml.predictions`: whose it is, and where its lane and source records are."""
        self.predictions += self._outcome(prediction_id, lane, source, PREDICTED)

    def on_dead_letter(
        self, prediction_id: str | None, cause: Cause, lane: Position, source: Position
    ) -> None:
        """A record of a queue's dead-letter topic; without an id it is of a foreign lane record."""
        if prediction_id is None:
            self.on_foreign_lane_record(lane)
        elif self._outcome(prediction_id, lane, source, DEAD, CAUSES.index(cause)):
            self.letters[cause] += 1

    def on_refusal(self, source: Position, cause: Cause, table: str | None = None) -> None:
        """A record of the source topic's dead-letter topic."""
        if self._trace(source, REFUSED, CAUSES.index(cause), table):
            self.refused[cause] += 1
        else:
            self.repeated += 1

    def on_unrouted(self, source: Position, table: str | None = None) -> None:
        """A record of the topic for types that are not declared."""
        self.repeated += not self._trace(source, UNROUTED, table=table)

    def on_unreadable(self, position: Position, reason: str) -> None:
        """A record that is not what its topic holds; the first hundred are named."""
        self.foreign += 1
        if len(self.unreadable) < UNREADABLE_KEPT:
            self.unreadable[position] = reason

    def forget_from(self, ends: Mapping[Partition, int]) -> None:
        """Leave out what came to the source at these offsets or later, and its outcomes."""
        self.until = dict(ends)

    def _verdict(self, record: SourceRecord) -> Verdict:
        if record.fault is not None:
            return "refused"
        try:
            accepted = accept(record.value, record.headers, record.entered_at, self._schemas, self._spans)
        except DeadLetter:
            return "refused"
        if not accepted.declared:
            return "undeclared"
        return "routable" if accepted.event.event_type in self._event_types else "ignored"

    def _outcome(
        self, prediction_id: str, lane: Position, source: Position, flag: int, cause: int = 0
    ) -> bool:
        """Whether it is the first outcome of its lane record."""
        name, slots = _digest(prediction_id), self._lane(lane)
        self._trace(source, OUTCOME)
        known, _, second, flags, before = slots.get(lane.offset)
        if flags & (RECORD | PREDICTED | DEAD) and known != name:
            flags |= MISMATCH
            name = known
        cause = cause if flag == DEAD and not flags & DEAD else before
        slots.put(lane.offset, name, self._pack(source), second, flags | flag, cause)
        first = not flags & (PREDICTED | DEAD)
        self.repeated += not first
        return first

    def _trace(self, source: Position, trace: int, cause: int = 0, table: str | None = None) -> bool:
        """Whether the source record had no such trace yet."""
        _check(source)
        slots = self._source((source.topic, source.partition))
        verdict, traces, known_cause, known_table, second = slots.get(source.offset)
        number = self._table(table) if table is not None else known_table
        cause = cause if trace == REFUSED else known_cause
        slots.put(source.offset, verdict, traces | trace, cause, number, second)
        return not traces & trace

    def _source(self, partition: Partition) -> Slots:
        if partition not in self.sources:
            self.sources[partition] = Slots(SOURCE_LAYOUT)
        return self.sources[partition]

    def _lane(self, at: Position) -> Slots:
        _check(at)
        partition = (at.topic, at.partition)
        if partition not in self.lanes:
            self.lanes[partition] = Slots(LANE_LAYOUT)
        return self.lanes[partition]

    def _pack(self, source: Position) -> int:
        partition = (source.topic, source.partition)
        if partition not in self._numbers:
            self._numbers[partition] = len(self.partitions)
            self.partitions.append(partition)
        return self._numbers[partition] * FURTHEST + source.offset

    def _table(self, table: str) -> int:
        """From 1 on, in the order in which tables were seen; too many of them share the last number."""
        if table not in self.tables and len(self.tables) < OTHER_TABLE - 1:
            self.tables.append(table)
        return self.tables.index(table) + 1 if table in self.tables else OTHER_TABLE


def _digest(prediction_id: str) -> bytes:
    """The 16 bytes of a prediction's id. Raises `ValueError` if it is none."""
    name = bytes.fromhex(prediction_id.removeprefix("pred_").replace("-", ""))
    if len(name) != 16:
        raise ValueError(f"{prediction_id!r} is no prediction's id")
    return name


def _check(at: Position) -> None:
    if not (0 <= at.offset < FURTHEST and 0 <= at.partition < 100_000):
        raise ValueError(f"{at} is no place in Kafka")


def _second(at: Millis) -> int:
    return min(max(at, 0) // 1_000, 2**32 - 1)
