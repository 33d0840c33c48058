"""Which lanes there are: those of the routing table, and those that an earlier table has left in Kafka."""

import logging
from collections.abc import Collection, Iterable
from dataclasses import replace

from events.decision import Millis, dead_letter_topic, lane_topic, overflow_topic
from events.priority import Priority
from events.topics import DEAD_LETTERS, EVENTS, PREDICTIONS, REPLAYS, UNROUTED
from routing import LaneSpec, Route, Rules
from routing.rules import LOWER_LANE_MAX_BATCH
from routing.table import LONGEST_BACKOFF_MS
from transport.cluster import Bootstrap
from transport.kafka import admin_client
from transport.topics import DEAD_LETTER_BYTES, TopicSpec, create_topics, existing_topics

SLACK_MS = 2_000

_PRIORITIES = frozenset(priority.value for priority in Priority)
_log = logging.getLogger(__name__)


def topic_specs(rules: Rules, partitions: int) -> tuple[TopicSpec, ...]:
    """Every topic that the system needs under these rules."""
    plain = (EVENTS, UNROUTED, PREDICTIONS, REPLAYS, *(lane.topic for lane in rules.lanes()))
    dead = (DEAD_LETTERS, *(dead_letter_topic(queue) for queue in rules.catalogue.queues))
    return (
        *(TopicSpec(name, partitions) for name in plain),
        *(TopicSpec(name, partitions, DEAD_LETTER_BYTES) for name in dead),
    )


def lanes_of(rules: Rules, topics: Collection[str]) -> tuple[LaneSpec, ...]:
    """The lanes to feed, seen the topics that exist: each priority of each queue that has workers.

    A lane's overflow topic is a lane of its own. A queue without workers keeps its events in their lanes.
    """
    routed = {lane.topic: lane for lane in rules.lanes()}
    lanes = []
    for queue in rules.catalogue.queues.values():
        for priority in Priority:
            topic = lane_topic(queue.name, priority)
            left = LaneSpec(
                topic, queue.name, priority, queue.task, min(LOWER_LANE_MAX_BATCH, queue.max_batch)
            )
            lane = routed.get(topic, left)
            both = (lane, replace(lane, topic=overflow_topic(topic)))
            lanes += [each for each in both if queue.served and each.topic in topics]
    return tuple(lanes)


def stranded(rules: Rules, topics: Collection[str]) -> frozenset[str]:
    """The lanes of queues that the catalogue no longer knows: nobody can tell which task drains them."""
    return frozenset(
        topic
        for topic in topics
        for queue, _, priority in [topic.removesuffix(overflow_topic("")).rpartition(".")]
        if priority in _PRIORITIES
        and queue not in rules.catalogue.queues
        and dead_letter_topic(queue) in topics
    )


def horizon_ms(rules: Rules, queue: str) -> Millis:
    """How long after it was sent a record of this queue can still be on its way.

    Its worker may be lost at the end of its time, the message be handed out again, and every retry be used.
    """
    spec = rules.catalogue.queues[queue]
    pauses = [backoffs_ms(route) for route in rules.table.all_routes if route.queue == queue]
    return 1_000 * (spec.time_limit_s + spec.visibility_timeout_s) + max(pauses, default=0) + SLACK_MS


def backoffs_ms(route: Route) -> Millis:
    """The pauses before all the retries of a route together."""
    doubled = (route.backoff_ms * 2**attempt for attempt in range(route.max_retries))
    return sum(min(pause, LONGEST_BACKOFF_MS) for pause in doubled)


class Lanes:
    """The lanes in Kafka. Made ready and refreshed by one thread, read by every feeder."""

    def __init__(self, bootstrap: Bootstrap, partitions: int) -> None:
        self._admin = admin_client(bootstrap, **{"log_level": 2})
        self._partitions = partitions
        self._lanes: dict[str, tuple[LaneSpec, ...]] = {}
        self._stranded: frozenset[str] = frozenset()

    def prepare(self, rules: Rules) -> None:
        """Make the topics that are missing, then refresh. Raises `Unavailable`."""
        create_topics(self._admin, topic_specs(rules, self._partitions))
        self.refresh(rules)

    def refresh(self, rules: Rules) -> None:
        """See which lanes exist now. Raises `Unavailable`."""
        topics = existing_topics(self._admin)
        lanes = lanes_of(rules, topics)
        left = stranded(rules, topics)
        if left - self._stranded:
            names = ", ".join(sorted(left))
            _log.warning(
                "not drained, for the catalogue has no such queue: %s; put it back until they are", names
            )
        self._stranded = left
        self._lanes = {queue: _of_queue(lanes, queue) for queue in {lane.queue for lane in lanes}}

    def queues(self) -> Collection[str]:
        """The queues that have lanes to feed."""
        return self._lanes.keys()

    def all(self) -> tuple[LaneSpec, ...]:
        """Every lane."""
        return tuple(lane for lanes in self._lanes.values() for lane in lanes)

    def of(self, queue: str) -> tuple[LaneSpec, ...]:
        """The lanes of a queue, the most urgent first."""
        return self._lanes.get(queue, ())


def _of_queue(lanes: Iterable[LaneSpec], queue: str) -> tuple[LaneSpec, ...]:
    return tuple(lane for lane in lanes if lane.queue == queue)
