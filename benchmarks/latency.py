"""How long one event takes from its producer to its prediction, at a steady rate."""

import random
import threading
import time
from dataclasses import dataclass

import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from benchmarks.orders import order
from events.topics import EVENTS, PREDICTIONS
from transport.clock import system_clock
from transport.kafka import consumer_config, producer_config
from transport.topics import TopicSpec, create_topics


class _SourceId(msgspec.Struct):
    source_event_id: str


@dataclass(frozen=True, slots=True)
class Latencies:
    """Milliseconds from `produce()` to the prediction's arrival at a consumer, and how many never came."""

    p50: float
    p95: float
    p99: float
    missing: int

    def __str__(self) -> str:
        figures = f"p50 {self.p50:8,.1f}  p95 {self.p95:8,.1f}  p99 {self.p99:8,.1f} ms"
        return f"{figures}, {self.missing:,} never came" if self.missing else figures

    @staticmethod
    def of(seconds: list[float], missing: int) -> "Latencies":
        """The percentiles of the measured events (nearest rank); infinite if none came in time."""
        ordered = sorted(seconds) or [float("inf")]
        p50, p95, p99 = (
            1_000 * ordered[min(len(ordered) - 1, int(len(ordered) * q))] for q in (0.5, 0.95, 0.99)
        )
        return Latencies(p50, p95, p99, missing)


class _Arrivals(threading.Thread):
    """Notes when the first prediction of each event arrives."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__(daemon=True)
        self.seen: dict[str, float] = {}
        self.stopping = threading.Event()
        self._consumer = Consumer(consumer_config(bootstrap, "benchmark"))
        parts = self._consumer.list_topics(PREDICTIONS, timeout=10).topics[PREDICTIONS].partitions
        ends = [
            TopicPartition(
                PREDICTIONS, p, self._consumer.get_watermark_offsets(TopicPartition(PREDICTIONS, p))[1]
            )
            for p in parts
        ]
        self._consumer.assign(ends)

    def run(self) -> None:
        decode = msgspec.json.Decoder(_SourceId).decode
        while not self.stopping.is_set():
            message = self._consumer.poll(0.1)
            if message is None or message.error():
                continue
            now = time.perf_counter()
            self.seen.setdefault(decode(message.value() or b"").source_event_id, now)
        self._consumer.close()


def warm(bootstrap: str, topic: str = "benchmark.warm-up", count: int = 30_000) -> None:
    """Let a fresh Kafka compile its hot paths, which takes both cores, on a topic that no system reads."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    create_topics(admin, [TopicSpec(topic, 4)])
    producer = Producer(producer_config(bootstrap, **{"linger.ms": 0, "batch.num.messages": 10}))
    consumer = Consumer(consumer_config(bootstrap, "benchmark.warm-up"))
    consumer.subscribe([topic])
    seen, deadline = 0, time.monotonic() + 60
    for number in range(count):
        producer.produce(topic, value=b"x" * 400)
        if number % 10 == 0:
            producer.poll(0)
            seen += len(consumer.consume(100, 0))
    producer.flush(30)
    while seen < count and time.monotonic() < deadline:
        seen += len(consumer.consume(1_000, 0.1))
    consumer.close()


def measure(bootstrap: str, rate: int, seconds: float, run: str, warm_up: float = 2) -> Latencies:
    """Play orders at `rate` a second for `seconds`, after `warm_up` seconds that do not count."""
    arrivals = _Arrivals(bootstrap)
    arrivals.start()
    producer = Producer(producer_config(bootstrap, **{"linger.ms": 0}))
    rng = random.Random(run)
    total = int(rate * (seconds + warm_up))
    sent: dict[str, float] = {}
    start = time.perf_counter()
    for number in range(total):
        due = start + number / rate
        while (left := due - time.perf_counter()) > 0:
            producer.poll(0)
            time.sleep(min(left, 0.01))
        key, value = order(number, run, system_clock(), rng)
        sent[f"{run}-{number}"] = time.perf_counter()
        producer.produce(EVENTS, value=value, key=key)
    producer.flush(30)
    counted = list(sent)[int(rate * warm_up) :]
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and any(event not in arrivals.seen for event in counted):
        time.sleep(0.1)
    arrivals.stopping.set()
    arrivals.join()
    times = [arrivals.seen[event] - sent[event] for event in counted if event in arrivals.seen]
    return Latencies.of(times, len(counted) - len(times))
