"""From the lanes of one queue to its workers: reads, asks how much waits there, and sends the next batch."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event
from time import monotonic

from confluent_kafka import KafkaException

from dispatcher.broker import Broker, task_id_of
from dispatcher.depth import Looks
from dispatcher.feeding import Depth, Feeding, Lane, Send, Wait
from dispatcher.held import HeldRecord
from dispatcher.lane_reader import LaneReader
from events.decision import Millis
from events.errors import Unavailable
from events.lane import Batch
from routing import LaneSpec
from transport import metrics
from transport.clock import Clock, system_clock
from transport.cluster import Bootstrap
from transport.group import Partition

# An idle feeder waits this long for a record of its only lane, or of its most urgent where it has others.
IDLE_S = 0.1
IDLE_WITH_OTHERS_S = 0.02
LONGEST_PAUSE_S = 0.1
GAUGE_EVERY_S = 1.0
COMPLAIN_EVERY_S = 10.0
AGAIN_S = 5.0

_log = logging.getLogger(__name__)


class Feeder:
    """One queue, on one thread, with a consumer for each lane. `Feeding` decides; this reads and sends.

    A lane whose consumer cannot go on gets another one `AGAIN_S` seconds later; the others are fed on.
    """

    def __init__(
        self,
        queue: str,
        bootstrap: Bootstrap,
        broker: Broker,
        lanes: Callable[[], Sequence[LaneSpec]],
        window: int,
        stop: Event,
        *,
        clock: Clock = system_clock,
    ) -> None:
        """`lanes` answers with the lanes that there are now; one that goes on being fed may be missing there.

        `window` is how many messages may wait on the queue before it is left alone.
        """
        self._queue = queue
        self._bootstrap = bootstrap
        self._broker = broker
        self._lanes = lanes
        self._stop = stop
        self._clock = clock
        self._specs: dict[str, LaneSpec] = {}
        self._readers: dict[str, LaneReader] = {}
        self._again_at: dict[str, float] = {}
        self._feeding = Feeding[HeldRecord]((), window, look_again=broker.look_again_ms)
        self._looks = Looks(broker.look_again_ms)
        self._complain_at = self._gauge_at = 0.0

    def run(self) -> None:
        """Feed until `stop` is set."""
        try:
            while not self._stop.is_set():
                self.step()
        finally:
            for reader in self._readers.values():
                reader.close()
            self._broker.close()

    def step(self) -> None:
        """Read what there is room for, and send a batch if the queue is open; else wait a little."""
        self._take_up_lanes(self._lanes())
        self._read()
        if self._feeding.holds:
            self._feed()
        for reader in list(self._readers.values()):
            reader.commit_when_due()

    def _take_up_lanes(self, specs: Sequence[LaneSpec]) -> None:
        changed = [spec for spec in specs if self._specs.get(spec.topic) != spec]
        if changed:
            self._specs |= {spec.topic: spec for spec in changed}
            self._feeding.on_lanes([Lane(spec.topic, spec.priority, spec.max_batch) for spec in changed])
        if len(self._readers) < len(self._specs):
            for topic in [topic for topic in self._specs if topic not in self._readers]:
                self._connect(topic)

    def _connect(self, topic: str) -> None:
        if monotonic() < self._again_at.get(topic, 0):
            return
        try:
            self._readers[topic] = LaneReader(self._bootstrap, topic, self._leaving)
        except KafkaException as error:
            self._broken(topic, error)
        else:
            _log.info("%s: feeding from %s", self._queue, topic)

    def _broken(self, topic: str, error: KafkaException) -> None:
        """A lane's consumer cannot go on: what it had read and not sent is read again by the next one."""
        self._again_at[topic] = monotonic() + AGAIN_S
        metrics.TOPIC_REFUSED.labels(topic, "read").set(1)
        _log.error("%s: not fed for %d s, the other lanes are: %s", topic, AGAIN_S, error)
        self._feeding.on_broken(topic)
        reader = self._readers.pop(topic, None)
        if reader is not None:
            with suppress(KafkaException):
                reader.close()

    def _leaving(self, partitions: frozenset[Partition]) -> None:
        self._feeding.on_lost(partitions)

    def _read(self) -> None:
        for lane in self._feeding.lanes:
            self._read_lane(lane, 0)
        if self._feeding.holds:
            return
        if self._feeding.lanes:
            only = len(self._feeding.lanes) == 1
            self._read_lane(self._feeding.lanes[0], IDLE_S if only else IDLE_WITH_OTHERS_S)
        else:
            self._stop.wait(IDLE_S)

    def _read_lane(self, lane: Lane, timeout: float) -> None:
        reader = self._readers.get(lane.topic)
        if reader is None:
            self._stop.wait(timeout)
            return
        try:
            records = reader.read(self._feeding.room(lane), timeout)
        except KafkaException as error:
            self._broken(lane.topic, error)
            return
        if records:
            self._feeding.on_records(lane, records)

    def _feed(self) -> None:
        now = self._clock()
        blocked = self._feeding.blocked_until(now)
        decision = self._decide(now) if blocked is None else Wait(blocked)
        wait = self._send(decision) if isinstance(decision, Send) else decision
        if wait is not None:
            self._stop.wait(min((wait.until - now) / 1_000, LONGEST_PAUSE_S))

    def _decide(self, now: Millis) -> Send[HeldRecord] | Wait:
        try:
            depth = self._broker.depth(self._queue)
        except Unavailable as error:
            return self._refused(error)
        if monotonic() >= self._gauge_at:
            self._gauge_at = monotonic() + GAUGE_EVERY_S
            _show(self._queue, depth)
        decision = self._feeding.next(depth, now)
        pause = self._looks.pause_after(depth, now)
        return decision if isinstance(decision, Send) else Wait(max(decision.until, now + pause))

    def _send(self, send: Send[HeldRecord]) -> Wait | None:
        topic = send.lane.topic
        batch = Batch(self._clock(), tuple(record.fed for record in send.records))
        try:
            self._broker.send(
                self._queue, send.lane.priority, self._specs[topic].task, batch, task_id_of(batch)
            )
        except Unavailable as error:
            return self._refused(error)
        self._readers[topic].on_sent(self._feeding.on_accepted(send))
        metrics.BATCHES_FED.labels(topic).inc()
        metrics.EVENTS_FED.labels(topic).inc(len(batch))
        return None

    def _refused(self, error: Unavailable) -> Wait:
        metrics.BROKER_REFUSALS.labels(self._queue).inc()
        if monotonic() >= self._complain_at:
            self._complain_at = monotonic() + COMPLAIN_EVERY_S
            _log.warning("%s: %s; its events wait in their lanes", self._queue, error)
        return self._feeding.on_refused(self._clock())


def _show(queue: str, depth: Depth) -> None:
    for priority, waiting in depth.waiting.items():
        metrics.QUEUE_WAITING.labels(queue, priority.value).set(waiting)
    metrics.QUEUE_RETRYING.labels(queue).set(depth.retrying)
