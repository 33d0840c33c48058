"""Stand-ins for Kafka, time and waiting that the real parts are given."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

from dispatcher import (
    completeness,
    feeder,
    feeding_again,
    lane_access,
    lane_reader,
    outcomes,
    reconciler,
    router,
    writer,
)
from events.decision import overflow_topic
from tests.simulation.kafka import Kafka
from tests.simulation.member import Consumer
from tests.simulation.producer import Producer
from tests.simulation.reader import Reader
from tests.simulation.watching import Watched
from transport import group

IN_THE_AIR = 12
ROUTED_AT_ONCE = 8
STAY_READS = 3
STAY_EVERY_MS = 200
GROW_EVERY_MS = 500
EXPIRED_EVERY_MS = 1_000

_WITH_A_CLOCK: tuple[ModuleType, ...] = (
    completeness,
    feeder,
    feeding_again,
    lane_access,
    lane_reader,
    reconciler,
    router,
    writer,
)


class Clients:
    """Makes the clients of whichever world is simulated now, and knows which process has which."""

    def __init__(self) -> None:
        self.kafka: Kafka
        self.consumers: dict[str, list[Consumer]] = {}
        self.producers: dict[str, list[Producer]] = {}

    def begin(self, kafka: Kafka) -> None:
        """Another world."""
        self.kafka = kafka
        self.consumers.clear()
        self.producers.clear()

    def consumer(self, config: dict[str, Any], **_: object) -> Consumer:
        """A member of a group."""
        made = Consumer(self.kafka, config)
        self.consumers.setdefault(made.name, []).append(made)
        return made

    def reader(self, config: dict[str, Any], **_: object) -> Reader:
        """A consumer on its own."""
        return Reader(self.kafka, config)

    def lone_reader(self, _bootstrap: object, group: str) -> Reader:
        """One that asks for a group's positions."""
        return Reader(self.kafka, {"group.id": group})

    def producer(self, config: dict[str, Any], **_: object) -> Producer:
        """Who writes."""
        made = Producer(self.kafka, config)
        self.producers.setdefault(made.name, []).append(made)
        return made

    def overflows(self, _bootstrap: object, source: str) -> "Overflows":
        """The overflow topics of the lanes."""
        return Overflows(self.kafka, source)

    def monotonic(self) -> float:
        """The world's time, in seconds."""
        return self.kafka.world.monotonic()


class Overflows:
    """In the place of `dispatcher.overflow.Overflows`."""

    def __init__(self, kafka: Kafka, source: str) -> None:
        self._kafka = kafka
        self._source = source

    def answers(self) -> bool:
        """Whether Kafka answers."""
        return not self._kafka.world.down("kafka")

    def ready(self, lane: str) -> bool:
        """Whether the overflow topic of a lane is there, or could be made."""
        if not self.answers():
            return False
        topic = overflow_topic(lane)
        if topic not in self._kafka.logs:
            self._kafka.create(topic, len(self._kafka.logs[lane]))
        return True

    def forget(self, lane: str) -> None:
        """It is looked at each time."""


class Stop:
    """In the place of a `threading.Event`: nobody waits in a simulation."""

    def __init__(self) -> None:
        self.flag = False

    def is_set(self) -> bool:
        """Whether the process was asked to end."""
        return self.flag

    def wait(self, _timeout: float) -> bool:
        """Time passes by the scheduler alone."""
        return self.flag


@contextmanager
def simulated() -> Iterator[Clients]:
    """Let the dispatcher's and the reconciler's own code run against a simulated world."""
    clients = Clients()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(group, "Consumer", clients.consumer)
        patch.setattr(group, "time", clients)
        patch.setattr(writer, "Producer", clients.producer)
        patch.setattr(writer, "Overflows", clients.overflows)
        patch.setattr(outcomes, "Consumer", clients.reader)
        patch.setattr(lane_access, "Consumer", clients.reader)
        for module in _WITH_A_CLOCK:
            patch.setattr(module, "monotonic", clients.monotonic)
        patch.setattr(router, "IN_THE_AIR", IN_THE_AIR)
        patch.setattr(router, "BATCH", ROUTED_AT_ONCE)
        patch.setattr(lane_reader, "STAY_READS", STAY_READS)
        patch.setattr(lane_reader, "STAY_EVERY_S", STAY_EVERY_MS / 1_000)
        patch.setattr(lane_reader, "connect_consumer", clients.lone_reader)
        patch.setattr(reconciler, "SKEW_MS", 0)
        patch.setattr(reconciler, "GROW_EVERY_S", GROW_EVERY_MS / 1_000)
        patch.setattr(reconciler, "EXPIRED_EVERY_S", EXPIRED_EVERY_MS / 1_000)
        patch.setattr(reconciler, "Reconciling", Watched)
        logging.disable(logging.CRITICAL)
        try:
            yield clients
        finally:
            logging.disable(logging.NOTSET)
