"""A record as confluent-kafka's consumers hand it out."""

from confluent_kafka import KafkaError

from tests.simulation.kafka import Record
from transport.kafka import Headers


class Message:
    """A record as a consumer hands it out."""

    __slots__ = ("_offset", "_partition", "_record", "_topic")

    def __init__(self, topic: str, partition: int, offset: int, record: Record) -> None:
        self._topic, self._partition, self._offset, self._record = topic, partition, offset, record

    def error(self) -> None:
        """None: it is a record."""

    def topic(self) -> str:
        """Where it stands."""
        return self._topic

    def partition(self) -> int:
        """Where it stands."""
        return self._partition

    def offset(self) -> int:
        """Where it stands."""
        return self._offset

    def key(self) -> bytes | None:
        """What decided on its partition."""
        return self._record.key

    def value(self) -> bytes | None:
        """What was written."""
        return self._record.value

    def headers(self) -> Headers:
        """What was written beside it."""
        return self._record.headers

    def timestamp(self) -> tuple[int, int]:
        """Its kind, and when it was written (epoch ms)."""
        return 1, self._record.timestamp


class Reset(Message):
    """What a consumer is given in place of a record if Kafka does not hold its position."""

    __slots__ = ()

    def __init__(self, topic: str, partition: int, offset: int) -> None:
        super().__init__(topic, partition, offset, Record(None, None, (), 0))

    def error(self) -> KafkaError:  # type: ignore[override]
        """Why."""
        return KafkaError(KafkaError._AUTO_OFFSET_RESET)
