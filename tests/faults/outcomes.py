"""What came out of a run, read from the topics themselves and from nothing that the system says of itself."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from confluent_kafka import Consumer, TopicPartition

from events.topics import PREDICTIONS
from transport.kafka import consumer_config


class _Stamp(msgspec.Struct):
    prediction_id: str
    source_event_id: str
    model_id: str
    feature_origin: str = "online"


@dataclass
class Outcomes:
    """Outcomes by the event that they are of; `predictions` counts every record, a repeated one too.

    `from_offline` counts the records whose features came from the offline tier, as they say themselves.
    """

    ids: dict[str, set[str]] = field(default_factory=dict)
    predictions: Counter[str] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)
    from_offline: int = 0

    @property
    def twice(self) -> int:
        """Records in `ml.predictions` beyond the first of their id."""
        return sum(self.predictions.values()) - len(self.predictions)


class OutcomeReader:
    """Reads the predictions and the dead letters of `queues` on from where it stopped."""

    def __init__(self, bootstrap: str, queues: Sequence[str]) -> None:
        self.outcomes = Outcomes()
        self._consumer = Consumer(consumer_config(bootstrap, "fault-run", log_level=2))
        topics = self._consumer.list_topics(timeout=10).topics
        wanted = [PREDICTIONS, *(f"{queue}.dlq" for queue in queues)]
        self._consumer.assign([TopicPartition(t, p, 0) for t in wanted for p in topics[t].partitions])
        self._decode = msgspec.json.Decoder(_Stamp).decode

    def read(self, seconds: float) -> Outcomes:
        """Take in what arrives within `seconds`."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            for message in self._consumer.consume(5_000, min(left, 0.2)):
                if message.error() is None:
                    self._take(message.topic() or "", message.value() or b"", dict(message.headers() or ()))
        return self.outcomes

    def _take(self, topic: str, value: bytes, headers: dict[str, object]) -> None:
        if topic == PREDICTIONS:
            stamp = self._decode(value)
            self.outcomes.predictions[stamp.prediction_id] += 1
            self.outcomes.from_offline += stamp.feature_origin == "offline"
            self.outcomes.ids.setdefault(stamp.source_event_id, set()).add(stamp.prediction_id)
            return
        cause = headers.get("dlq.error.cause", b"")
        identity = headers.get("dlq.prediction_id", b"")
        self.outcomes.dead_letters[cause.decode() if isinstance(cause, bytes) else str(cause)] += 1
        with_id = identity.decode() if isinstance(identity, bytes) else str(identity)
        event = msgspec.json.decode(value)
        self.outcomes.ids.setdefault(str(event["event_id"]), set()).add(with_id)
