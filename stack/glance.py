"""Reads in the background how each lane does now: what waits, and how fast the latest answers came."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from dispatcher.lane_reader import feeder_group
from events.errors import Unavailable
from events.priority import Priority
from events.topics import PREDICTIONS
from monitoring.lags import LaneLags
from monitoring.reading import LogReader
from routing import LaneSpec
from stack.scoreboard import Seen
from transport.cluster import Bootstrap

LATEST = 1_000
"""The p95 and the share that kept the promise are those of so many answers of a lane."""
LOOK_S = 1.0
PAUSE_S = 2.0


@dataclass(frozen=True, slots=True)
class LaneState:
    """One lane: records that wait, answers since the start, and of the latest answers p95 and share kept.

    `p95_ms` and `kept` (0 to 1) are None if there was no answer yet.
    """

    topic: str
    waiting: int
    answers: int = 0
    p95_ms: float | None = None
    kept: float | None = None


class Answers:
    """The latest latencies of each lane, bounded. Pure."""

    def __init__(self) -> None:
        self._count: dict[tuple[str, Priority], int] = {}
        self._latest: dict[tuple[str, Priority], deque[tuple[float, bool]]] = {}

    def add(self, seen: Seen) -> None:
        """One more prediction."""
        lane = (seen.queue, seen.priority)
        self._count[lane] = self._count.get(lane, 0) + 1
        latest = self._latest.setdefault(lane, deque(maxlen=LATEST))
        latest.append((seen.latency_ms, seen.latency_ms <= seen.sla_ms))

    def state(self, lane: LaneSpec, waiting: int) -> LaneState:
        """How this lane does."""
        key = (lane.queue, lane.priority)
        latest = self._latest.get(key)
        if not latest:
            return LaneState(lane.topic, waiting)
        spans = sorted(span for span, _ in latest)
        p95 = spans[min(len(spans) - 1, int(0.95 * len(spans)))]
        kept = sum(kept for _, kept in latest) / len(latest)
        return LaneState(lane.topic, waiting, self._count[key], p95, kept)


class Glance:
    """A thread that reads `ml.predictions` and the lags. If Kafka is away it says so, and connects again."""

    def __init__(self, lanes: tuple[LaneSpec, ...], bootstrap: Bootstrap) -> None:
        self._lanes = lanes
        self._bootstrap = bootstrap
        self._answers = Answers()
        self._decode = msgspec.json.Decoder(Seen).decode
        self._stop = threading.Event()
        self._states: tuple[LaneState, ...] = tuple(LaneState(lane.topic, 0) for lane in lanes)
        self._trouble: str | None = None
        # a daemon: a stack that stops does not wait for a Kafka that has stopped
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def states(self) -> tuple[LaneState, ...]:
        """Each lane at the latest look."""
        return self._states

    @property
    def trouble(self) -> str | None:
        """Why the latest look failed, if it did."""
        return self._trouble

    def start(self) -> None:
        """Begin to read, from the end of the topic on."""
        self._thread.start()

    def stop(self) -> None:
        """Read no more after the look that goes on; does not wait for it."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._read()
            except Unavailable as error:
                self._trouble = str(error)
                self._stop.wait(PAUSE_S)

    def _read(self) -> None:
        reader = LogReader(self._bootstrap, [PREDICTIONS], newest=0)
        lags = LaneLags(self._bootstrap, [(lane.topic, feeder_group(lane.topic)) for lane in self._lanes])
        try:
            while not self._stop.is_set():
                for message in reader.read(LOOK_S):
                    self._take(message.value() or b"")
                self._show(lags.read())
        finally:
            reader.close()
            lags.close()

    def _take(self, value: bytes) -> None:
        try:
            self._answers.add(self._decode(value))
        except msgspec.MsgspecError:  # no prediction of ours: the balance counts it
            return

    def _show(self, waiting: Mapping[str, int]) -> None:
        self._states = tuple(self._answers.state(lane, waiting.get(lane.topic, 0)) for lane in self._lanes)
        self._trouble = None
