"""How many events a second a system turns into predictions, from a full topic, start-up left out."""

import random
import time
from collections.abc import Callable

from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.orders import order
from events.topics import EVENTS, PREDICTIONS
from transport.clock import system_clock
from transport.kafka import consumer_config, producer_config


def fill(bootstrap: str, count: int, run: str, event_type: str = "order.placed") -> None:
    """Write `count` orders to the source topic."""
    producer = Producer(
        producer_config(bootstrap, **{"linger.ms": 20, "queue.buffering.max.messages": 1_000_000})
    )
    rng = random.Random(run)
    for number in range(count):
        key, value = order(number, run, system_clock(), rng, event_type)
        producer.produce(EVENTS, value=value, key=key)
        if number % 10_000 == 0:
            producer.poll(0)
    if producer.flush(60):
        raise TimeoutError("the source topic was not filled within 60 s")


class EndOffsets:
    """How many records a topic holds, read from its end offsets: costs the measured system nothing."""

    def __init__(self, bootstrap: str, topic: str = PREDICTIONS) -> None:
        self._consumer = Consumer(consumer_config(bootstrap, "benchmark"))
        partitions = self._consumer.list_topics(topic, timeout=10).topics[topic].partitions
        self._partitions = [TopicPartition(topic, partition) for partition in partitions]

    def count(self) -> int:
        """Records that were ever written to the topic."""
        return sum(
            self._consumer.get_watermark_offsets(partition, timeout=10)[1] for partition in self._partitions
        )


def measure(bootstrap: str, count: int, run: str, start: Callable[[], None], limit: float = 300) -> float:
    """Events a second from the first tenth to the last of `count` predictions.

    Raises `TimeoutError` after `limit` seconds.
    """
    ends = EndOffsets(bootstrap)
    before = ends.count()
    fill(bootstrap, count, run)
    start()
    deadline = time.monotonic() + limit
    first: tuple[float, int] | None = None
    while time.monotonic() < deadline:
        done, now = ends.count() - before, time.perf_counter()
        if first is None and done >= count // 10:
            first = (now, done)
        if first is not None and done >= count:
            return (done - first[1]) / (now - first[0])
        time.sleep(0.02)
    raise TimeoutError(f"{run}: {ends.count() - before} of {count} predictions after {limit:.0f} s")
