"""What an operator declares of Kafka topics: partitions, replicas, retention, limits. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from events.decision import dead_letter_topic, lane_topic, overflow_topic
from events.priority import Priority
from events.topics import DEAD_LETTERS, EVENTS, PREDICTIONS, REPLAYS, UNROUTED
from routing.catalogue import Catalogue

Kind = Literal["source", "lanes", "predictions", "dead_letters", "unrouted", "replays"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Declared:
    """What is declared of one topic.

    `partitions`: None leaves it to the installation's default. `replicas` is asked for as it is; None asks
    for `min_replicas`. `properties` has Kafka's own names and values (`retention.ms`: `-1`).
    """

    partitions: int | None = None
    replicas: int | None = None
    min_replicas: int = 1
    properties: Mapping[str, str] = field(default_factory=dict)


def topics_of(catalogue: Catalogue) -> dict[str, Kind]:
    """Every topic that the system may need under this catalogue, and of which kind it is."""
    kinds: dict[str, Kind] = {
        EVENTS: "source",
        DEAD_LETTERS: "dead_letters",
        UNROUTED: "unrouted",
        PREDICTIONS: "predictions",
        REPLAYS: "replays",
    }
    for queue in catalogue.queues:
        lanes = [lane_topic(queue, priority) for priority in Priority]
        kinds |= dict.fromkeys([*lanes, *map(overflow_topic, lanes)], "lanes")
        kinds[dead_letter_topic(queue)] = "dead_letters"
    return kinds
