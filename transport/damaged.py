"""Passes over batches that librdkafka cannot inflate, which it would fetch for ever.

zstd above `receive.message.max.bytes`, and what another client compressed wrongly: Kafka holds both.
"""

import logging

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from transport import metrics

DAMAGED = frozenset({KafkaError._BAD_COMPRESSION, KafkaError._BAD_MSG})

_log = logging.getLogger(__name__)


class Damaged:
    """What one consumer has passed over."""

    def __init__(self, consumer: Consumer, reader: str) -> None:
        """`reader` is who reads, for the log and the metric."""
        self._consumer = consumer
        self._reader = reader
        self._next: dict[tuple[str, int], int] = {}

    def pass_over(self, message: Message) -> bool:
        """Go on behind what an error names, if it is of such a batch; whether it was.

        One offset at a time, for a batch is named by its first: the others of it are named again.
        """
        error = message.error()
        if error is None or error.code() not in DAMAGED:
            return False
        place = (message.topic() or "", message.partition() or 0)
        offset = max(message.offset() or 0, self._next.get(place, 0))
        try:
            self._consumer.seek(TopicPartition(*place, offset + 1))
        except KafkaException as refusal:
            _log.warning("%s[%d]@%d cannot be read, and is not passed over yet: %s", *place, offset, refusal)
            return True
        self._next[place] = offset + 1
        metrics.RECORDS_UNREADABLE.labels(self._reader, place[0]).inc()
        _log.error("%s[%d]@%d is passed over by %s: %s", *place, offset, self._reader, error)
        return True
