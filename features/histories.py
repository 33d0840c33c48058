"""Where history comes from: a file of events, or what the topic still holds. Each as records, in order."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic

from confluent_kafka import Consumer, KafkaException, TopicPartition

from events.decision import Millis
from events.errors import ConfigError, Problem, Unavailable
from features.pipeline.reading import Record
from features.pipeline.source import record_of
from transport.clock import Clock, system_clock
from transport.cluster import Bootstrap
from transport.damaged import Damaged
from transport.kafka import consumer_config
from transport.tail import AT_ITS_END, ended

CHUNK = 5_000
STEP_S = 0.2
SILENCE_S = 30.0
"""After how long without a record a topic that has not ended counts as unavailable."""


def json_lines(path: Path, now: Millis) -> Iterator[Record]:
    """One event for each line that is not empty; `offset` is the line's number.

    Raises `ConfigError` if the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if text := line.strip():
                    yield Record(number, now, text, None)
    except OSError as error:
        raise ConfigError([Problem(str(path), 0, "", f"cannot be read: {error.strerror}")]) from error


class TopicHistory:
    """All that a topic holds at the moment of asking. Joins no group, and commits nothing."""

    def __init__(
        self, bootstrap: Bootstrap, topic: str, timeout: float = 10, clock: Clock = system_clock
    ) -> None:
        """Waits up to `timeout` seconds for each answer. Raises `Unavailable`."""
        self._clock = clock
        self._topic = topic
        self._consumer = Consumer(consumer_config(bootstrap, "signalbox.backfill", **AT_ITS_END))
        try:
            numbers = self._consumer.list_topics(topic, timeout).topics[topic].partitions
            bounds = {
                number: self._consumer.get_watermark_offsets(TopicPartition(topic, number), timeout)
                for number in numbers
            }
        except KafkaException as error:
            raise Unavailable("kafka", error) from error
        self._ends = {number: high for number, (low, high) in bounds.items() if high > low}
        self._consumer.assign([TopicPartition(topic, number, bounds[number][0]) for number in self._ends])
        self.records = sum(high - low for low, high in bounds.values())
        """How many there are, or fewer if some were compacted away."""

    def read(self) -> Iterator[Record]:
        """Each record once. Raises `Unavailable` if none comes though the end is not reached."""
        open_ends, damaged = dict(self._ends), Damaged(self._consumer, "signalbox.backfill")
        silent_at = monotonic() + SILENCE_S
        try:
            while open_ends:
                messages = self._consumer.consume(CHUNK, STEP_S)
                now = self._clock()
                if messages:
                    silent_at = monotonic() + SILENCE_S
                elif monotonic() >= silent_at:
                    raise Unavailable("kafka", f"{self._topic}: no record for {SILENCE_S:.0f} s")
                for message in messages:
                    if damaged.pass_over(message):
                        continue
                    partition = message.partition() or 0
                    if message.error() is None and (message.offset() or 0) < self._ends[partition]:
                        yield record_of(message, now)
                    if ended(message, self._ends[partition]):
                        open_ends.pop(partition, None)
        except KafkaException as error:
            raise Unavailable("kafka", error) from error
        finally:
            self._consumer.close()
