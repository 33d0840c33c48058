"""Which lanes there are: those of the routing table, and those that an earlier table has left in Kafka."""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from core.backoff import exponential
from dispatcher.topics import DeclaredTopics
from events.decision import Millis, dead_letter_topic, lane_topic, overflow_topic
from events.errors import Unavailable
from events.priority import Priority
from routing import LaneSpec, Route, Rules
from routing.rules import LOWER_LANE_MAX_BATCH
from routing.table import LONGEST_BACKOFF_MS
from transport.cluster import Bootstrap
from transport.kafka import admin_client
from transport.topic_check import check_topics
from transport.topic_differences import as_lines
from transport.topics import TopicSpec, create_topics, existing_topics

SLACK_MS = 2_000

_PRIORITIES = frozenset(priority.value for priority in Priority)
_log = logging.getLogger(__name__)


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
    """The lanes of queues that the catalogue no longer knows, and whose task is unknown."""
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
    return sum(
        exponential(failures, route.backoff_ms, LONGEST_BACKOFF_MS) for failures in range(route.max_retries)
    )


class Lanes:
    """The lanes in Kafka. Made ready and refreshed by one thread, read by every feeder."""

    def __init__(self, bootstrap: Bootstrap, declared: DeclaredTopics) -> None:
        self._admin = admin_client(bootstrap, **{"log_level": 2})
        self._declared = declared
        self._lanes: dict[str, tuple[LaneSpec, ...]] = {}
        self._stranded: frozenset[str] = frozenset()

    def prepare(self, rules: Rules) -> None:
        """Make the topics that are missing, then refresh. Raises `ConfigError` and `Unavailable`."""
        specs = self._declared.specs(rules, existing_topics(self._admin))
        create_topics(self._admin, specs)
        self._warn(specs)
        self.refresh(rules)

    def _warn(self, specs: Sequence[TopicSpec]) -> None:
        """Log in what the topics differ from their declaration so that records are lost."""
        try:
            found = check_topics(self._admin, specs)
        except Unavailable as error:
            _log.warning("the topics were not compared with their declaration: %s", error)
            return
        for line in as_lines(each for each in found if each.level == "error"):
            _log.warning("%s", line)

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
