"""The reconciler: feeds records without an outcome again, and reports how complete each lane is."""

import logging
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from threading import Event
from time import monotonic

from confluent_kafka import KafkaException

from dispatcher.beginnings import begin_anew, beginning
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
from transport.kafka import holds

LOOK_EVERY_S = 1.0
FEED_AGAIN_EVERY_S = 0.2
EXPIRED_EVERY_S = 60.0
GROW_EVERY_S = 10.0
RECOMMIT_EVERY_S = 3_600.0
"""A position is committed again so often though it did not move: Kafka forgets it after seven days."""
AFTER_FAILURE_S = 1.0
ANSWER_S = 2.0
EARLY = 100_000
# Outcomes count as read to their end if no partition is further behind than this.
SETTLED_MS = 5_000
# A partition of outcomes without any record says nothing of those that were written so long ago.
QUIET_MS = 86_400_000
# An outcome is younger than its record, but for what two machines' clocks differ.
SKEW_MS = 60_000

_log = logging.getLogger(__name__)


class Reconciler:
    """Every lane against the outcomes, on one thread. `Reconciling` decides; this reads, sends and commits.

    It begins where it had committed, and keeps nothing else: what was fed, and what came of it, is in
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
        self._bootstrap = bootstrap
        self._lanes = LaneAccess(bootstrap)
        self._outcomes = OutcomeReader(bootstrap, clock)
        self._again = FeedingAgain(self._lanes, broker, clock)
        self._reports = Reports()
        self._specs: dict[str, LaneSpec] = {}
        self._states: dict[Partition, Reconciling] = {}
        self._committed: dict[Partition, int] = {}
        # outcomes of lanes that were not seen yet
        self._early: deque[Position] = deque(maxlen=EARLY)
        self._look_at = self._again_at = self._expired_at = self._grow_at = 0.0
        self._sees_all = True
        self._recommit_at = monotonic() + RECOMMIT_EVERY_S

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
        if monotonic() >= self._again_at and self._again.possible and self._sees_all:
            self._again_at = monotonic() + FEED_AGAIN_EVERY_S
            self._feed_again()

    def _take_up(self, specs: Sequence[LaneSpec]) -> None:
        new = [spec for spec in specs if self._specs.get(spec.topic) != spec]
        if not new:
            return
        begun = {spec.topic: spec for spec in new if spec.topic not in self._specs}
        outcomes = {PREDICTIONS, *(dead_letter_topic(spec.queue) for spec in begun.values())}
        places = self._places({topic: self._lanes.numbers(topic) for topic in begun}, outcomes)
        self._outcomes.take_up(outcomes, self._since(places) - SKEW_MS)
        self._specs |= {spec.topic: spec for spec in new}
        self._begin(places)

    def _places(
        self, numbers: Mapping[str, Sequence[int]], outcomes: Collection[str]
    ) -> dict[Partition, int]:
        """Where to begin in these partitions of lanes."""
        since = self._decidable_since(outcomes)
        places: dict[Partition, int] = {}
        for topic, wanted in numbers.items():
            fed = self._lanes.fed(topic, wanted)
            for partition, committed in self._lanes.places(topic, wanted).items():
                low = self._lanes.first(*partition) if committed is None or since is not None else 0
                decidable = None if since is None else self._lanes.at(partition, since)
                begin = beginning(committed, fed.get(partition), low, decidable)
                places[partition] = begin.offset
                if begin.undecided:
                    text = "%s[%d]: %d fed records are older than Kafka's outcomes; they count as done"
                    _log.warning(text, *partition, begin.undecided)
        return places

    def _decidable_since(self, outcomes: Collection[str]) -> Millis | None:
        """The time (epoch ms) from which on Kafka holds all outcomes; None if none was deleted."""
        bounds = {
            (topic, number): self._lanes.bounds((topic, number))
            for topic in outcomes
            for number in self._lanes.numbers(topic)
        }
        cut = {partition: low for partition, (low, _) in bounds.items() if low > 0}
        if not cut:
            return None
        now = self._clock()
        held = {each: low for each, low in cut.items() if low < bounds[each][1]}
        oldest, quiet = self._lanes.timestamps(held, now), now - QUIET_MS
        return max(oldest.get(each, quiet) for each in cut)

    def _since(self, places: Mapping[Partition, int]) -> Millis:
        """When (epoch ms) the oldest fed record was written that may have no outcome; now if all have.

        All outcomes are read if that is not known: it expired, or a stranger wrote its time.
        """
        now = self._clock()
        numbers: dict[str, list[int]] = defaultdict(list)
        for topic, number in places:
            numbers[topic].append(number)
        fed: dict[Partition, int] = {}
        for topic, wanted in numbers.items():
            fed |= self._lanes.fed(topic, wanted)
        open_at = {each: place for each, place in places.items() if place < fed.get(each, 0)}
        if any(place < self._lanes.first(*each) for each, place in open_at.items()):
            return SKEW_MS
        return max(self._lanes.oldest(open_at, now), SKEW_MS) if open_at else now

    def _begin(self, places: Mapping[Partition, int]) -> None:
        for partition, place in places.items():
            self._states[partition] = Reconciling(place, self._horizon(self._specs[partition[0]].queue))
        early, self._early = self._early, deque(maxlen=EARLY)
        for position in early:
            self._on_outcome(position)

    def _on_outcome(self, position: Position) -> None:
        state = self._states.get((position.topic, position.partition))
        if state is not None:
            state.on_outcome(position.offset)
        else:
            self._early.append(position)

    def _look(self) -> None:
        if monotonic() >= self._grow_at:
            self._look_for_partitions()
        self._outcomes.look()
        now = self._clock()
        partitions: dict[str, list[int]] = defaultdict(list)
        for topic, number in self._states:
            partitions[topic].append(number)
        for topic, numbers in partitions.items():
            for partition, position in self._lanes.fed(topic, numbers).items():
                if position < self._states[partition].fed:
                    self._expired_at = 0.0  # its feeder went back: is it another log?
                self._states[partition].on_fed(position, now)
        if monotonic() >= self._expired_at:
            settled = self._outcomes.read_up_to >= now - SETTLED_MS
            self._expired_at = monotonic() + (EXPIRED_EVERY_S if settled else SETTLED_MS / 1_000)
            for partition in list(self._states):
                self._check_log(partition, settled)
        self._commit()
        self._reports.show(
            {
                topic: of_lane(self._states[topic, number].completeness() for number in numbers)
                for topic, numbers in partitions.items()
            }
        )

    def _look_for_partitions(self) -> None:
        """Grow, or try again at the next look. Nothing is fed again until then: its outcome may be unread."""
        try:
            self._grow()
        except KafkaException as error:
            self._sees_all = False
            _log.warning("new partitions are not read yet, and nothing is fed again: %s", error)
        else:
            self._sees_all = True
            self._grow_at = monotonic() + GROW_EVERY_S

    def _grow(self) -> None:
        """Take up the partitions that lanes and outcome topics have got since the last look."""
        self._outcomes.grow()
        for topic in self._specs:
            new = [number for number in self._lanes.numbers(topic) if (topic, number) not in self._states]
            if new:
                _log.info("%s has %d new partitions", topic, len(new))
                self._begin(self._places({topic: new}, ()))

    def _commit(self) -> None:
        places = {partition: state.watermark for partition, state in self._states.items()}
        idle = monotonic() >= self._recommit_at
        moved = {each: place for each, place in places.items() if idle or self._committed.get(each) != place}
        if moved:
            self._lanes.commit(moved)
            self._committed |= moved
        if idle:
            self._recommit_at = monotonic() + RECOMMIT_EVERY_S

    def _check_log(self, partition: Partition, settled: bool) -> None:
        """Count what Kafka deleted before it had an outcome, and begin again in a log that is another one.

        `settled` says that all outcomes were read.
        """
        state = self._states[partition]
        low, high = self._lanes.bounds(partition)
        if high < state.fed and not holds(self._bootstrap, partition, state.fed - 1, ANSWER_S):
            committed = self._lanes.places(partition[0], [partition[1]])[partition]
            begin = begin_anew(committed, low, high)
            text = "%s[%d] ends at %d, and was fed up to %d: it lost its tail or was made again; on from %d"
            _log.error(text, *partition, high, state.fed, begin)
            self._committed.pop(partition, None)
            self._begin({partition: begin})
        elif settled:
            lost = state.on_expired(low)
            if lost:
                _log.error("%s[%d]: %d records expired without an outcome: they are lost", *partition, lost)

    def _feed_again(self) -> None:
        now = self._outcomes.read_up_to
        for partition, state in self._states.items():
            due = state.due(now)
            if due:
                self._again.feed(self._specs[partition[0]], partition, due, state)
