"""Overflow topics: a lane that Kafka refuses has a second topic, which is made when it is first needed.

The feeders and the reconciler take it up as one more lane of the same queue and priority.
"""

import logging
from time import monotonic

from confluent_kafka import KafkaException
from confluent_kafka.admin._metadata import ClusterMetadata

from core.circuit_breaker import CircuitBreaker
from events.decision import overflow_topic
from events.errors import ConfigError, Unavailable
from transport.cluster import Bootstrap
from transport.kafka import admin_client
from transport.topics import LASTING, TopicSpec, create_topics

ANSWER_S = 2.0
ASK_EVERY_S = 5.0

_log = logging.getLogger(__name__)


class Overflows:
    """Makes overflow topics. What could not be made is tried again after `ASK_EVERY_S` seconds."""

    def __init__(self, bootstrap: Bootstrap, source: str) -> None:
        """An overflow topic has the layout of its lane, or of `source` if Kafka has no such lane."""
        self._admin = admin_client(bootstrap, log_level=2)
        self._source = source
        self._made: set[str] = set()
        self._ask_at: dict[str, float] = {}
        self._breaker = CircuitBreaker(ASK_EVERY_S)

    def answers(self) -> bool:
        """Whether Kafka answers within `ANSWER_S` seconds: what one topic refuses is not an outage then."""
        if self._breaker.is_open(monotonic()):
            return False
        if self._metadata() is None:
            self._breaker.on_failure(monotonic())
            return False
        return True

    def ready(self, lane: str) -> bool:
        """Whether the overflow topic of a lane is there, or could be made."""
        if lane in self._made:
            return True
        if monotonic() < self._ask_at.get(lane, 0):
            return False
        self._ask_at[lane] = monotonic() + ASK_EVERY_S
        metadata = self._metadata()
        if metadata is None:
            return False
        layouts = (
            metadata.topics[name].partitions for name in (lane, self._source) if name in metadata.topics
        )
        partitions = next(filter(None, layouts), {}).values()
        replicas = max((len(each.replicas) for each in partitions), default=1)
        spec = TopicSpec(overflow_topic(lane), len(partitions) or 1, LASTING, min_replicas=replicas)
        try:
            create_topics(self._admin, [spec])
        except (ConfigError, Unavailable) as error:
            _log.error("%s: no overflow topic, so its records wait in memory: %s", lane, error)
            return False
        self._made.add(lane)
        return True

    def forget(self, lane: str) -> None:
        """Its overflow topic did not take a record either: look again whether it is there."""
        self._made.discard(lane)

    def _metadata(self) -> ClusterMetadata | None:
        try:
            return self._admin.list_topics(timeout=ANSWER_S)
        except KafkaException:
            return None
