"""Live figures of a demonstration: rates, latencies against the SLA, frauds caught. Pure."""

from array import array
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from events.priority import Priority

RATE_WINDOW_S = 5.0
HELD_BACK = frozenset({"review", "hold"})
"""The decisions by which a fraud is caught."""


class Answer(msgspec.Struct, frozen=True):
    """A prediction's decision."""

    decision: str


class Seen(msgspec.Struct, frozen=True):
    """What the scoreboard reads of a prediction."""

    prediction_id: str
    source_event_id: str
    output: Answer
    latency_ms: float
    queue: str
    priority: Priority
    sla_ms: int
    attempts: int


_decode_seen = msgspec.json.Decoder(Seen).decode


def read_seen(value: bytes | None) -> Seen | None:
    """What a prediction says; None of a record that no worker wrote, which the balance names."""
    try:
        return _decode_seen(value or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


@dataclass(slots=True)
class Rate:
    """Records a second over the last `RATE_WINDOW_S` seconds."""

    total: int = 0
    _marks: deque[tuple[float, int]] = field(default_factory=deque)

    def add(self, count: int, now: float) -> None:
        """So many more, at this time (seconds)."""
        self.total += count
        self._marks.append((now, count))

    def per_second(self, now: float) -> float:
        """The rate now."""
        while self._marks and self._marks[0][0] < now - RATE_WINDOW_S:
            self._marks.popleft()
        return sum(count for _, count in self._marks) / RATE_WINDOW_S


@dataclass(slots=True)
class Caught:
    """Orders whose truth is known: frauds that were held back, and honest ones that were."""

    frauds: int = 0
    caught: int = 0
    honest: int = 0
    disturbed: int = 0


class Latencies:
    """Every latency in milliseconds, and how many were beyond what was promised."""

    def __init__(self) -> None:
        self._values = array("d")
        self._sorted = True
        self.late = 0

    def __len__(self) -> int:
        return len(self._values)

    def add(self, latency_ms: float, sla_ms: int) -> None:
        """One more."""
        self._values.append(latency_ms)
        self._sorted = False
        self.late += latency_ms > sla_ms

    def percentile(self, share: float) -> float:
        """The smallest latency that this share (0 to 1) of all does not exceed; 0 if there is none."""
        if not self._values:
            return 0.0
        if not self._sorted:
            self._values = array("d", sorted(self._values))
            self._sorted = True
        return self._values[min(len(self._values) - 1, int(share * len(self._values)))]


class Scoreboard:
    """Counts what comes out. A prediction that stands twice counts once: the first decision stands.

    `truth` says of an event's id whether it is a fraud; only its sender knows.
    """

    def __init__(self, truth: Mapping[str, bool]) -> None:
        self._truth = truth
        self._known: set[str] = set()
        self.predictions = Rate()
        self.latencies: dict[tuple[str, Priority], Latencies] = {}
        self.sla_ms: dict[tuple[str, Priority], int] = {}
        self.decisions: Counter[str] = Counter()
        self.retried = 0
        self.fraud = Caught()

    def on_prediction(self, seen: Seen, now: float) -> None:
        """A record of `ml.predictions`, read at `now` (seconds)."""
        if seen.prediction_id in self._known:
            return
        self._known.add(seen.prediction_id)
        self.predictions.add(1, now)
        lane = (seen.queue, seen.priority)
        self.latencies.setdefault(lane, Latencies()).add(seen.latency_ms, seen.sla_ms)
        self.sla_ms[lane] = seen.sla_ms
        self.decisions[seen.output.decision] += 1
        self.retried += seen.attempts > 1
        self._judge(seen)

    def _judge(self, seen: Seen) -> None:
        held_back = seen.output.decision in HELD_BACK
        match self._truth.get(seen.source_event_id):
            case True:
                self.fraud.frauds += 1
                self.fraud.caught += held_back
            case False:
                self.fraud.honest += 1
                self.fraud.disturbed += held_back
