"""What must never happen, seen at the moment at which it does; and what came out, for the end."""

from collections import Counter, defaultdict

import msgspec

from dispatcher.lane_reader import RECONCILER_GROUP, feeder_group
from dispatcher.reconciling import Reconciling
from events.deadletter import DeadLetterHeaders
from events.decision import Millis, Position
from events.errors import Cause
from events.lane import Batch
from events.topics import DEAD_LETTERS, EVENTS, PREDICTIONS, UNROUTED
from tests.simulation.broker import VISIBILITY
from tests.simulation.kafka import Record
from tests.simulation.world import Violation

HORIZON: Millis = 3 * VISIBILITY
Place = tuple[str, int]


class _Decided(msgspec.Struct):
    prediction_id: str
    source: Position


class _Waiting(msgspec.Struct):
    decision: _Decided


class Predicted(msgspec.Struct):
    """What of a prediction says where it belongs."""

    prediction_id: str
    lane: Position


_read_waiting = msgspec.json.Decoder(_Waiting).decode
read_prediction = msgspec.json.Decoder(Predicted).decode


class Watch:
    """Told of every record, commit and message as it comes."""

    def __init__(self) -> None:
        self.lanes: dict[Place, list[str]] = defaultdict(list)
        """The prediction id of each offset of a lane."""
        self.routed: dict[Place, set[str]] = defaultdict(set)
        """The ids that came of each source record."""
        self.set_aside: dict[str, set[Place]] = {UNROUTED: set(), DEAD_LETTERS: set()}
        """Source records without a route or an event."""
        self.outcomes: dict[Place, Counter[int]] = defaultdict(Counter)
        self.predictions: dict[str, list[Place]] = defaultdict(list)
        self.dead_letters: list[tuple[Position, str, Cause]] = []
        self.fed: Counter[Place] = Counter()
        self.sent = 0
        self.begins: Counter[Place] = Counter()
        """Below this offset Kafka holds nothing of a partition any more."""
        self._complete: Counter[Place] = Counter()

    def on_append(self, position: Position, record: Record) -> None:
        """A record stands in Kafka."""
        topic = position.topic
        if topic == PREDICTIONS:
            found = read_prediction(record.value or b"")
            self.predictions[found.prediction_id].append((topic, position.partition))
            self._on_outcome(found.lane, found.prediction_id)
        elif topic == DEAD_LETTERS:
            original = DeadLetterHeaders.parse(record.headers).original
            self.set_aside[topic].add((f"{original.partition}", original.offset))
        elif topic == UNROUTED:
            where = dict(record.headers)
            partition, offset = where["unrouted.original.partition"], where["unrouted.original.offset"]
            self.set_aside[topic].add(((partition or b"").decode(), int(offset or b"")))
        elif topic.endswith(".dlq"):
            self._on_dead_letter(DeadLetterHeaders.parse(record.headers))
        elif topic != EVENTS:
            decision = _read_waiting(record.value or b"").decision
            self.lanes[topic, position.partition].append(decision.prediction_id)
            self.routed[f"{decision.source.partition}", decision.source.offset].add(decision.prediction_id)

    def _on_dead_letter(self, headers: DeadLetterHeaders) -> None:
        if headers.lane is None or headers.prediction_id is None:
            raise Violation(f"a dead letter of a worker says nothing of its lane: {headers}")
        self.dead_letters.append((headers.lane, headers.prediction_id, headers.cause))
        self._on_outcome(headers.lane, headers.prediction_id)

    def _on_outcome(self, lane: Position, prediction_id: str) -> None:
        waiting = self.lanes[lane.topic, lane.partition][lane.offset]
        if waiting != prediction_id:
            raise Violation(
                f"the first decision stands: {lane} waits as {waiting}, came out as {prediction_id}"
            )
        self.outcomes[lane.topic, lane.partition][lane.offset] += 1

    def on_commit(self, group: str, position: Position) -> None:
        """A group committed a position."""
        place = position.topic, position.partition
        if group == feeder_group(position.topic) and position.offset > self.fed[place]:
            raise Violation(
                f"nothing is lost: the feeder commits {position}, of which it fed {self.fed[place]}"
            )
        if group == RECONCILER_GROUP:
            for offset in range(self._complete[place], position.offset):
                if not self.outcomes[place][offset] and offset >= self.begins[place]:
                    raise Violation(f"completeness is true: {position} is committed, {offset} has no outcome")
            self._complete[place] = max(self._complete[place], position.offset)

    def on_expired(self, position: Position) -> None:
        """The oldest records of a partition are gone: it may be fed from there on."""
        place = position.topic, position.partition
        self.begins[place] = position.offset
        self.fed[place] = max(self.fed[place], position.offset)

    def on_sent(self, batch: Batch) -> None:
        """The broker has a batch from a feeder."""
        self.sent += 1
        for fed in batch.records:
            place = fed.lane.topic, fed.lane.partition
            if fed.lane.offset > self.fed[place]:
                raise Violation(f"a lane keeps its order: {fed.lane} is fed before {self.fed[place]}")
            if fed.lane.offset == self.fed[place]:
                self.fed[place] += 1


class Watched(Reconciling):
    """The real decisions, held against what may be fed again.

    That is one record, and one more for each that came out; after one that did not it is one again.
    """

    def __init__(self, watermark: int, horizon: Millis) -> None:
        super().__init__(watermark, horizon, max_allowance=16)
        self._out: dict[int, Millis] = {}
        self._earned = 0

    def due(self, now: Millis) -> tuple[int, ...]:
        """Raises `Violation`."""
        offsets = super().due(now)
        if any(sent + HORIZON <= now for sent in self._out.values()):
            self._out = {offset: sent for offset, sent in self._out.items() if sent + HORIZON > now}
            self._earned = 0
        if offsets and len(self._out) + len(offsets) > 1 + self._earned:
            raise Violation(
                f"refeeding has a budget: {offsets} beside {list(self._out)}, earned {self._earned}"
            )
        self._out.update(dict.fromkeys(offsets, now))
        return offsets

    def on_refused(self, offsets: tuple[int, ...]) -> None:
        """They were not spent."""
        super().on_refused(offsets)
        for offset in offsets:
            self._out.pop(offset, None)

    def on_outcome(self, offset: int) -> None:
        """One more."""
        super().on_outcome(offset)
        if self._out.pop(offset, None) is not None:
            self._earned += 1

    def on_lost(self, offset: int) -> None:
        """It never comes out."""
        super().on_lost(offset)
        self._out.pop(offset, None)
