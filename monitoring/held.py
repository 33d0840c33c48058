"""What Kafka still holds of the topics that are counted: retention takes the oldest records away. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from events.decision import Millis, Position, dead_letter_topic
from events.topics import DEAD_LETTERS, EVENTS, PREDICTIONS, UNROUTED

Partition = tuple[str, int]
"""A topic and the number of its partition."""

NEVER: Millis = 2**62


@dataclass(frozen=True, slots=True)
class Held:
    """Where each partition begins now, and when (epoch ms) the first record that was read of it came."""

    begins: Mapping[Partition, int] = field(default_factory=dict)
    first_at: Mapping[Partition, Millis] = field(default_factory=dict)

    def begin(self, partition: Partition) -> int:
        """The offset of the oldest record that Kafka holds."""
        return self.begins.get(partition, 0)

    def whole_since(self, topics: Iterable[str]) -> Millis:
        """From when on (epoch ms) nothing of these topics has expired; 0 if nothing has at all."""
        wanted = set(topics)
        expired = [each for each, begin in self.begins.items() if begin > 0 and each[0] in wanted]
        return max((self.first_at.get(each, NEVER) for each in expired), default=0)


def position(partition: Partition, offset: int) -> Position:
    """An offset of a partition."""
    return Position(partition[0], partition[1], offset)


def lanes_of(held: Held) -> set[Partition]:
    """The partitions of lanes among those that were read."""
    others = {EVENTS, DEAD_LETTERS, UNROUTED, PREDICTIONS}
    return {
        (topic, number)
        for topic, number in held.begins
        if topic not in others and not topic.endswith(dead_letter_topic(""))
    }
