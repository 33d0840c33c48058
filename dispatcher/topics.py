"""Every Kafka topic that the system needs, as `config/topics.yaml` declares it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from events.decision import dead_letter_topic
from events.topics import DEAD_LETTERS, EVENTS, PREDICTIONS, REPLAYS, UNROUTED
from routing import Rules
from routing.topics import Declared
from routing.topics_file import load_topics
from transport.topics import MIN_ISR, TopicSpec


@dataclass(frozen=True, slots=True)
class DeclaredTopics:
    """The file of the topics, and what this installation says beside it.

    `partitions` is for topics of which the file says none. `replicas`, if not None, goes before the file's
    `min.replicas`: a Kafka of one node has 1.
    """

    path: Path
    partitions: int
    replicas: int | None = None

    def specs(self, rules: Rules, existing: Collection[str] = ()) -> tuple[TopicSpec, ...]:
        """Every topic that the system needs under these rules, and of `existing` those that it may still use.

        An earlier table has left lanes, a refused lane its overflow topic. Raises `ConfigError`: the file is
        read.
        """
        declared = load_topics(self.path, rules.catalogue)
        names = dict.fromkeys([*topic_names(rules), *sorted(declared.keys() & set(existing))])
        return tuple(self._spec(name, declared) for name in names)

    def _spec(self, name: str, all_declared: Mapping[str, Declared]) -> TopicSpec:
        declared = all_declared[name]
        least = declared.min_replicas if self.replicas is None else self.replicas
        properties = dict(declared.properties)
        if MIN_ISR in properties:
            # with all replicas in sync required, no record is taken while one broker is away
            most = max(1, (declared.replicas or least) - 1)
            properties[MIN_ISR] = str(min(int(properties[MIN_ISR]), most))
        return TopicSpec(name, declared.partitions or self.partitions, properties, declared.replicas, least)


def topic_names(rules: Rules) -> Iterator[str]:
    """The topics without which these rules cannot be followed, each once."""
    yield from (EVENTS, UNROUTED, PREDICTIONS, REPLAYS)
    yield from (lane.topic for lane in rules.lanes())
    yield DEAD_LETTERS
    yield from (dead_letter_topic(queue) for queue in rules.catalogue.queues)
