"""A producer in the place of confluent-kafka's: the router's."""

from collections import deque
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError

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
        self._pending: dict[str, deque[tuple[Outgoing, Delivered]]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._pending.values()))

    def produce(
        self, topic: str, value: bytes | None, key: bytes | None, on_delivery: Delivered, headers: Headers
    ) -> None:
        """Take a record over."""
        lane = self._pending.setdefault(topic, deque())
        lane.append((Outgoing(topic, value, key, tuple(headers)), on_delivery))

    def poll(self, timeout: float) -> None:
        """Let acknowledgements arrive. `timeout` (seconds) passes where none can."""
        if self._world.down("kafka") or self._world.down("kafka's writes"):
            self._world.advance(int(timeout * 1_000))
            return
        for waiting in self._pending.values():
            arrived = len(waiting) if timeout else self._world.random.randint(0, len(waiting))
            for _ in range(arrived):
                out, delivered = waiting.popleft()
                self._kafka.append(out)
                delivered(None, None)

    def die(self) -> None:
        """Its process is gone: a part of what was on its way arrives, and nobody hears of it."""
        for waiting in self._pending.values():
            for _ in range(self._world.random.randint(0, len(waiting))):
                self._kafka.append(waiting.popleft()[0])
        self._pending.clear()
