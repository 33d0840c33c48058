"""Has every record that was fed an outcome? What has none is fed again; how complete a lane is, is shown."""

import logging
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from threading import Event
from time import monotonic

from confluent_kafka import KafkaException

from dispatcher.broker import Broker
from dispatcher.completeness import Reports, of_lane
from dispatcher.feeding_again import FeedingAgain
from dispatcher.lane_access import LaneAccess
from dispatcher.outcomes import OutcomeReader
from dispatcher.reconciling import Reconciling
from events.decision import Millis, Position, dead_letter_topic
from events.topics import PREDICTIONS
from routing import LaneSpec
from transport.clock import Clock, system_clock
from transport.cluster import Bootstrap
from transport.group import Partition

LOOK_EVERY_S = 1.0
FEED_AGAIN_EVERY_S = 0.2
EXPIRED_EVERY_S = 60.0
AFTER_FAILURE_S = 1.0
EARLY = 100_000
# An outcome is younger than its record, but for what two machines' clocks differ.
SKEW_MS = 60_000

_log = logging.getLogger(__name__)


class Reconciler:
    """Every lane against the outcomes, on one thread. `Reconciling` decides; this reads, sends and commits.

    It begins where it had committed, and keeps nothing else: what was fed, and what came of it, stands in
    Kafka.
    """

    def __init__(
        self,
        bootstrap: Bootstrap,
        broker: Broker,
        lanes: Callable[[], Sequence[LaneSpec]],
        horizon: Callable[[str], Millis],
        stop: Event,
        *,
        clock: Clock = system_clock,
    ) -> None:
        """`lanes` answers with the lanes that there are now.

        `horizon` answers with how long (ms) a queue's records can be on their way.
        """
        self._list_lanes = lanes
        self._horizon = horizon
        self._stop = stop
        self._clock = clock
        self._broker = broker
        self._lanes = LaneAccess(bootstrap)
        self._outcomes = OutcomeReader(bootstrap, clock)
        self._again = FeedingAgain(self._lanes, broker, clock)
        self._reports = Reports()
        self._specs: dict[str, LaneSpec] = {}
        self._states: dict[Partition, Reconciling] = {}
        self._committed: dict[Partition, int] = {}
        # outcomes of lanes that were not seen yet
        self._early: deque[Position] = deque(maxlen=EARLY)
        self._look_at = self._again_at = self._expired_at = 0.0

    def run(self) -> None:
        """Reconcile until `stop` is set. While Kafka is down it waits."""
        try:
            while not self._stop.is_set():
                try:
                    self.step(0.1)
                except KafkaException as error:
                    _log.warning("kafka: %s", error)
                    self._stop.wait(AFTER_FAILURE_S)
        finally:
            self._lanes.close()
            self._outcomes.close()
            self._broker.close()

    def step(self, timeout: float) -> None:
        """Take in outcomes, waiting up to `timeout` seconds for the first, and do what is due."""
        self._take_up(self._list_lanes())
        for position in self._outcomes.read(timeout):
            self._on_outcome(position)
        if monotonic() >= self._look_at:
            self._look_at = monotonic() + LOOK_EVERY_S
            self._look()
        if monotonic() >= self._again_at and self._again.possible:
            self._again_at = monotonic() + FEED_AGAIN_EVERY_S
            self._feed_again()

    def _take_up(self, specs: Sequence[LaneSpec]) -> None:
        new = [spec for spec in specs if self._specs.get(spec.topic) != spec]
        if not new:
            return
        begun = [spec for spec in new if spec.topic not in self._specs]
        places = {spec.topic: self._lanes.places(spec.topic) for spec in begun}
        since = self._since(places) - SKEW_MS
        self._outcomes.take_up({PREDICTIONS, *(dead_letter_topic(spec.queue) for spec in begun)}, since)
        for spec in begun:
            horizon = self._horizon(spec.queue)
            for partition, place in places[spec.topic].items():
                self._states[partition] = Reconciling(place, horizon)
        self._specs |= {spec.topic: spec for spec in new}
        early, self._early = self._early, deque(maxlen=EARLY)
        for position in early:
            self._on_outcome(position)

    def _since(self, places: Mapping[str, Mapping[Partition, int]]) -> Millis:
        """When (epoch ms) the oldest fed record was written that may have no outcome; now where all have."""
        now = self._clock()
        open_at = {
            partition: place
            for topic, by_partition in places.items()
            for partition, fed in self._lanes.fed(topic, [number for _, number in by_partition]).items()
            if (place := by_partition[partition]) < fed
        }
        oldest = self._lanes.oldest(open_at) if open_at else None
        return now if oldest is None else min(oldest, now)

    def _on_outcome(self, position: Position) -> None:
        state = self._states.get((position.topic, position.partition))
        if state is not None:
            state.on_outcome(position.offset)
        else:
            self._early.append(position)

    def _look(self) -> None:
        self._outcomes.look()
        now = self._clock()
        partitions: dict[str, list[int]] = defaultdict(list)
        for topic, number in self._states:
            partitions[topic].append(number)
        for topic, numbers in partitions.items():
            for partition, position in self._lanes.fed(topic, numbers).items():
                self._states[partition].on_fed(position, now)
        self._forget_expired()
        places = {partition: state.watermark for partition, state in self._states.items()}
        moved = {each: place for each, place in places.items() if self._committed.get(each) != place}
        if moved:
            self._lanes.commit(moved)
            self._committed |= moved
        self._reports.show(
            {
                topic: of_lane(self._states[topic, number].completeness() for number in numbers)
                for topic, numbers in partitions.items()
            }
        )

    def _forget_expired(self) -> None:
        if monotonic() >= self._expired_at:
            self._expired_at = monotonic() + EXPIRED_EVERY_S
            for (topic, number), state in self._states.items():
                state.on_expired(self._lanes.first(topic, number))

    def _feed_again(self) -> None:
        now = self._outcomes.read_up_to
        for partition, state in self._states.items():
            due = state.due(now)
            if due:
                self._again.feed(self._specs[partition[0]], partition, due, state)
