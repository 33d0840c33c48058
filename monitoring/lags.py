"""How many events wait in each lane: what Kafka holds beyond what the lane's feeder has committed."""

from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaException, TopicPartition

from events.errors import Unavailable
from transport.cluster import Bootstrap
from transport.kafka import consumer_config


class LaneLags:
    """Asks Kafka as any lag exporter does. `groups` maps a lane's topic to its feeder's consumer group.

    It joins no group, so that it moves no partition.
    """

    def __init__(self, bootstrap: Bootstrap, groups: Iterable[tuple[str, str]], timeout: float = 5) -> None:
        self._timeout = timeout
        self._consumers = {
            topic: Consumer(consumer_config(bootstrap, group, **{"log_level": 0})) for topic, group in groups
        }

    def read(self) -> dict[str, int]:
        """Records that wait, by lane. Raises `Unavailable`."""
        try:
            return {topic: self._lag(topic, consumer) for topic, consumer in self._consumers.items()}
        except KafkaException as error:
            raise Unavailable("kafka", error) from error

    def _lag(self, topic: str, consumer: Consumer) -> int:
        partitions = consumer.list_topics(topic, timeout=self._timeout).topics[topic].partitions
        wanted = [TopicPartition(topic, number) for number in partitions]
        lag = 0
        for partition in consumer.committed(wanted, timeout=self._timeout):
            low, high = consumer.get_watermark_offsets(partition, timeout=self._timeout)
            # negative if nothing was committed yet; retention may have moved the beginning past what was
            lag += max(0, high - max(partition.offset, low))
        return lag

    def close(self) -> None:
        """Let go of the connections."""
        for consumer in self._consumers.values():
            consumer.close()
