"""Which Kafka topics these rules call for."""

from collections.abc import Iterator

from events.decision import dead_letter_topic
from events.topics import DEAD_LETTERS, EVENTS, PREDICTIONS, UNROUTED
from routing import Rules
from transport.topics import DEAD_LETTER_BYTES, TopicSpec


def needed_topics(rules: Rules, partitions: int) -> Iterator[TopicSpec]:
    """The source and its side exits, the predictions, a topic per lane, the dead letters of each queue."""
    for name in (EVENTS, UNROUTED, PREDICTIONS):
        yield TopicSpec(name, partitions)
    for lane in rules.lanes():
        yield TopicSpec(lane.topic, partitions)
    for queue in (DEAD_LETTERS, *sorted({dead_letter_topic(lane.queue) for lane in rules.lanes()})):
        yield TopicSpec(queue, partitions, DEAD_LETTER_BYTES)
