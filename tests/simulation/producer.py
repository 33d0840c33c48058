"""A producer in the place of confluent-kafka's: the router's."""

from collections import deque
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from tests.simulation.kafka import Kafka
from tests.simulation.world import World
from transport.kafka import Headers, Outgoing

Delivered = Callable[[KafkaError | None, Any], None]


class Producer:
    """Writes in order within a partition; an acknowledgement comes some polls after its write."""

    def __init__(self, kafka: Kafka, config: dict[str, Any]) -> None:
        self.name: str = config["bootstrap.servers"]
        self._kafka = kafka
        self._world: World = kafka.world
        self._fatal: KafkaError | None = None
        self._purged: list[Delivered] = []
        self._pending: dict[str, deque[tuple[Outgoing, Delivered]]] = {}

    def __len__(self) -> int:
        return len(self._purged) + sum(map(len, self._pending.values()))

    def produce(
        self, topic: str, value: bytes | None, key: bytes | None, on_delivery: Delivered, headers: Headers
    ) -> None:
        """Take a record over."""
        if self._fatal is not None:
            raise KafkaException(self._fatal)
        lane = self._pending.setdefault(topic, deque())
        lane.append((Outgoing(topic, value, key, tuple(headers)), on_delivery))

    def poll(self, timeout: float) -> None:
        """Let acknowledgements arrive. `timeout` (seconds) passes where none can.

        Raises `KafkaException` once for a fatal error: from then on nothing is taken.
        """
        if self._fatal is None and len(self) and self._world.chance("producer fatal"):
            self._fatal = KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, "by design", fatal=True)
            raise KafkaException(self._fatal)
        if self._world.down("kafka") or self._world.down("kafka's writes"):
            self._world.advance(int(timeout * 1_000))
            return
        if self._purged:
            self._fail_all()
        for topic, waiting in self._pending.items():
            if self._world.down(refusal_of(topic)):
                self._fail(waiting, KafkaError.TOPIC_AUTHORIZATION_FAILED)
            arrived = len(waiting) if timeout else self._world.random.randint(0, len(waiting))
            for _ in range(arrived):
                out, delivered = waiting.popleft()
                self._kafka.append(out)
                delivered(None, None)

    def purge(self) -> None:
        """Whatever is not acknowledged fails; some of it may have arrived."""
        for waiting in self._pending.values():
            for _ in range(self._world.random.randint(0, len(waiting))):
                out, delivered = waiting.popleft()
                self._kafka.append(out)
                self._purged.append(delivered)
        self._purged += [delivered for waiting in self._pending.values() for _, delivered in waiting]
        self._pending.clear()

    def _fail_all(self) -> None:
        purged, self._purged = self._purged, []
        for delivered in purged:
            delivered(KafkaError(KafkaError._PURGE_INFLIGHT), None)

    def _fail(self, waiting: deque[tuple[Outgoing, Delivered]], code: int) -> None:
        refused = list(waiting)
        waiting.clear()
        for _, delivered in refused:
            delivered(KafkaError(code), None)

    def die(self) -> None:
        """Its process is gone: a part of what was on its way arrives, and nobody hears of it."""
        for waiting in self._pending.values():
            for _ in range(self._world.random.randint(0, len(waiting))):
                self._kafka.append(waiting.popleft()[0])
        self._pending.clear()


def refusal_of(topic: str) -> str:
    """What is down while Kafka refuses a topic."""
    return f"writes to {topic}"
