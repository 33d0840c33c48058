"""Which lanes there are: those of the routing table, and those that an earlier table has left in Kafka."""

from collections.abc import Collection, Iterable

from confluent_kafka.admin import AdminClient

from events.decision import dead_letter_topic, lane_topic
from events.priority import Priority
from events.topics import DEAD_LETTERS, EVENTS, PREDICTIONS, UNROUTED
from routing import LaneSpec, Rules
from routing.rules import LOWER_LANE_MAX_BATCH
from transport.topics import DEAD_LETTER_BYTES, TopicSpec, create_topics, existing_topics


def topic_specs(rules: Rules, partitions: int) -> tuple[TopicSpec, ...]:
    """Every topic that the system needs under these rules."""
    plain = (EVENTS, UNROUTED, PREDICTIONS, *(lane.topic for lane in rules.lanes()))
    dead = (DEAD_LETTERS, *(dead_letter_topic(queue) for queue in rules.catalogue.queues))
    return (
        *(TopicSpec(name, partitions) for name in plain),
        *(TopicSpec(name, partitions, DEAD_LETTER_BYTES) for name in dead),
    )


def lanes_of(rules: Rules, topics: Collection[str]) -> tuple[LaneSpec, ...]:
    """The lanes to feed, seen the topics that exist: each priority of each queue that has workers.

    A queue without workers keeps its events in their lanes.
    """
    routed = {lane.topic: lane for lane in rules.lanes()}
    lanes = []
    for queue in rules.catalogue.queues.values():
        for priority in Priority:
            topic = lane_topic(queue.name, priority)
            if queue.served and topic in topics:
                left = LaneSpec(
                    topic, queue.name, priority, queue.task, min(LOWER_LANE_MAX_BATCH, queue.max_batch)
                )
                lanes.append(routed.get(topic, left))
    return tuple(lanes)


class Lanes:
    """The lanes in Kafka. Made ready and refreshed by one thread, read by every feeder."""

    def __init__(self, bootstrap: str, partitions: int) -> None:
        self._admin = AdminClient({"bootstrap.servers": bootstrap})
        self._partitions = partitions
        self._lanes: dict[str, tuple[LaneSpec, ...]] = {}

    def prepare(self, rules: Rules) -> None:
        """Make the topics that are missing, then refresh. Raises `Unavailable`."""
        create_topics(self._admin, topic_specs(rules, self._partitions))
        self.refresh(rules)

    def refresh(self, rules: Rules) -> None:
        """See which lanes exist now. Raises `Unavailable`."""
        lanes = lanes_of(rules, existing_topics(self._admin))
        self._lanes = {queue: _of_queue(lanes, queue) for queue in {lane.queue for lane in lanes}}

    def queues(self) -> Collection[str]:
        """The queues that have lanes to feed."""
        return self._lanes.keys()

    def of(self, queue: str) -> tuple[LaneSpec, ...]:
        """The lanes of a queue, the most urgent first."""
        return self._lanes.get(queue, ())


def _of_queue(lanes: Iterable[LaneSpec], queue: str) -> tuple[LaneSpec, ...]:
    return tuple(lane for lane in lanes if lane.queue == queue)
