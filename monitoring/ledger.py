"""What is owed for each source record, and what came out: taken in from the topics, in any order. Pure.

What is owed is derived once more from the source topic, with the codec and the routing alone.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from events.accepting import accept
from events.avro import SHIPPED, Schemas
from events.codec import Headers
from events.decision import Decision, Millis, Position
from events.errors import Cause, DeadLetter
from events.timeliness import DECLARED, Spans
from routing import Table, route

Partition = tuple[str, int]
"""A topic and the number of its partition."""


OF_NO_EVENT: frozenset[Cause] = frozenset({"too_large", "unexpected"})
"""Causes that do not follow from the event."""


class SourceRecord(NamedTuple):
    """A record of the source topic; `entered_at` (epoch ms) is its Kafka timestamp.

    `fault` says why its headers cannot be read, if they cannot.
    """

    position: Position
    entered_at: Millis
    value: bytes | None
    headers: Headers | None
    fault: DeadLetter | None = None


class Letter(NamedTuple):
    """Why an inference was given up, and where its event stands."""

    cause: Cause
    source: Position


class Ledger:
    """Both sides of the account. `owed` is by prediction id; source records are known by where they stand.

    `repeated` counts outcomes beyond the first of their kind: delivery is at least once. `reached` has the
    next offset to read of each partition of the source.
    """

    def __init__(self, table: Table, schemas: Schemas = SHIPPED, spans: Spans = DECLARED) -> None:
        self._table = table
        self._spans = spans
        self._schemas = schemas
        self.owed: dict[str, Decision] = {}
        self.routed_at: set[Position] = set()
        self.ignored_at: set[Position] = set()
        self.refusals_owed: dict[Position, Cause] = {}
        self.unrouted_owed: set[Position] = set()

        self.predictions: dict[str, Position] = {}
        self.letters: dict[str, Letter] = {}
        self.refusals: dict[Position, Cause] = {}
        self.unrouted: set[Position] = set()
        self.repeated = 0
        self.unreadable: dict[Position, str] = {}
        self.reached: dict[Partition, int] = {}

    def on_source(self, record: SourceRecord) -> None:
        """A record of the source topic: derive what it calls for. Raises `Unavailable` as `schemas` does."""
        self.reached[_partition(record.position)] = record.position.offset + 1
        try:
            if record.fault is not None:
                raise record.fault
            accepted = accept(record.value, record.headers, record.entered_at, self._schemas, self._spans)
        except DeadLetter as error:
            self.refusals_owed[record.position] = error.cause
            return
        if not accepted.declared:
            self.unrouted_owed.add(record.position)
            return
        decisions = route(accepted.event, self._table, record.position, record.entered_at)
        (self.routed_at if decisions else self.ignored_at).add(record.position)
        for decision in decisions:
            self.owed.setdefault(decision.prediction_id, decision)

    def on_prediction(self, prediction_id: str, source: Position) -> None:
        """A record of `ml.predictions`, and where the event stands that it is of."""
        self.repeated += prediction_id in self.predictions
        self.predictions.setdefault(prediction_id, source)

    def on_dead_letter(self, prediction_id: str, cause: Cause, source: Position) -> None:
        """A record of a queue's dead-letter topic, and where the event stands that it is of."""
        self.repeated += prediction_id in self.letters
        self.letters.setdefault(prediction_id, Letter(cause, source))

    def on_refusal(self, source: Position, cause: Cause) -> None:
        """A record of the source topic's dead-letter topic."""
        self.repeated += source in self.refusals
        self.refusals.setdefault(source, cause)

    def on_unrouted(self, source: Position) -> None:
        """A record of the topic for types that nobody declared."""
        self.repeated += source in self.unrouted
        self.unrouted.add(source)

    def on_unreadable(self, position: Position, reason: str) -> None:
        """A record that is not what its topic holds."""
        self.unreadable[position] = reason

    @property
    def read(self) -> int:
        """Source records taken in."""
        kinds = (self.routed_at, self.ignored_at, self.unrouted_owed, self.refusals_owed)
        return sum(len(kind) for kind in kinds)

    def refused_though_valid(self) -> Iterator[tuple[str, Letter]]:
        """What is valid by itself, and was refused: a lane does not take it, or our own code failed on it."""
        for name, decision in self.owed.items():
            cause = self.refusals.get(decision.source)
            if cause is not None and cause in OF_NO_EVENT:
                yield name, Letter(cause, decision.source)

    def forget_from(self, ends: Mapping[Partition, int]) -> None:
        """Leave out what came to the source at these offsets or later, and its outcomes."""

        def early(position: Position) -> bool:
            return position.offset < ends.get(_partition(position), 0)

        self.owed = {name: decision for name, decision in self.owed.items() if early(decision.source)}
        self.predictions = {
            name: source for name, source in self.predictions.items() if name in self.owed or early(source)
        }
        self.letters = {
            name: letter for name, letter in self.letters.items() if name in self.owed or early(letter.source)
        }
        self.refusals_owed = {at: cause for at, cause in self.refusals_owed.items() if early(at)}
        self.refusals = {at: cause for at, cause in self.refusals.items() if early(at)}
        for positions in (self.routed_at, self.ignored_at, self.unrouted_owed, self.unrouted):
            positions -= {position for position in positions if not early(position)}


def _partition(position: Position) -> Partition:
    return position.topic, position.partition
