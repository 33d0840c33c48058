"""Events of the past played as fast as the feature pipeline counts them, in the order of their time.

A model that is asked about an order must find in the store what its customer and its terminal did before. In
life there are minutes between two orders of one customer; here the next one waits until the last is counted.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from confluent_kafka import KafkaError, Message, Producer

from events.errors import Unavailable
from events.topics import EVENTS
from features.redis_store import RedisStore
from stack.emission import Emission
from transport.kafka import producer_config

POLL_S = 0.002
PATIENCE_S = 60.0
LONGEST = 500
"""Events that are sent before the run waits for the pipeline, of any entity."""


class About(msgspec.Struct, frozen=True):
    """Whom an order or its label is about."""

    customer_id: str
    terminal_id: str


class _Sent(msgspec.Struct):
    payload: About


_decode = msgspec.json.Decoder(_Sent).decode


def chunks(emissions: Iterable[Emission]) -> Iterator[list[Emission]]:
    """Parts in which no order is about an entity that an event before it in the same part is about."""
    chunk: list[Emission] = []
    touched: set[tuple[str, str]] = set()
    for emission in emissions:
        payload = _decode(emission.value).payload
        about = {("customer", payload.customer_id), ("terminal", payload.terminal_id)}
        # a label is not asked about: it may follow anything
        if len(chunk) >= LONGEST or (emission.fraud is not None and about & touched):
            yield chunk
            chunk, touched = [], set()
        chunk.append(emission)
        touched |= about
    if chunk:
        yield chunk


class InStep:
    """Sends chunks; each waits until the one before it is in the online store."""

    def __init__(self, bootstrap: str, store: RedisStore) -> None:
        self._producer = Producer(producer_config(bootstrap, **{"linger.ms": 0}))
        self._store = store
        self._reached: dict[int, int] = {}
        self._error: KafkaError | None = None

    def play(self, chunk: Sequence[Emission]) -> None:
        """Return once the pipeline has counted all of it. Raises `Unavailable`, `TimeoutError`."""
        for emission in chunk:
            self._producer.produce(
                EVENTS,
                value=emission.value,
                key=emission.key,
                headers=list(emission.headers),
                on_delivery=self._delivered,
            )
        if self._producer.flush(PATIENCE_S) or self._error is not None:
            raise Unavailable("kafka", self._error or "no acknowledgement")
        deadline = time.monotonic() + PATIENCE_S
        while behind(self._reached, self._positions()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not counted within {PATIENCE_S:.0f} s: {self._reached}")
            time.sleep(POLL_S)

    def _positions(self) -> Mapping[int, int]:
        beats = self._store.heartbeats().partitions
        return {partition: beat.position for partition, beat in beats.items()}

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._error = error
            return
        partition, offset = message.partition() or 0, message.offset() or 0
        self._reached[partition] = max(self._reached.get(partition, 0), offset + 1)


def behind(reached: Mapping[int, int], counted: Mapping[int, int]) -> bool:
    """Whether some partition reaches further than it is counted."""
    return any(counted.get(partition, 0) < offset for partition, offset in reached.items())
