"""Latency of an urgent order while 100,000 other events wait.

    python -m benchmarks.interference

p50 and p99 of `order.placed` at 50 a second: with nothing else, with a lane of another queue full (served by
a pool of its own), and with a lower lane of its own queue full. At least 100,000 wait from the first measured
event to the last. Five interleaved runs; the medians count.
"""

import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from benchmarks import latency, throughput
from events.topics import EVENTS
from tests.faults.processes import wait_until
from tests.faults.rig import FRAUD_QUEUE, Rig, rig
from transport.kafka import consumer_config

RATE = 50
SECONDS = 6.0
ROUNDS = 5
BACKLOG = 100_000
RESERVE = 200_000
CONFIG = Path(__file__).with_name("interference_config")
OTHER_QUEUE = "ml.fraud.bulk"


@dataclass(frozen=True, slots=True)
class Load:
    """Events of a type that fill a lane."""

    event_type: str
    lane: str


LOADS = {
    "nothing else": None,
    "another lane": Load("order.returned", f"{OTHER_QUEUE}.low"),
    "a lower lane of its queue": Load("refund.requested", f"{FRAUD_QUEUE}.low"),
}


def waiting(bootstrap: str, lane: str) -> int:
    """How many records of a lane its feeder has not handed over yet."""
    return lag(bootstrap, f"signalbox.feeder.{lane}", lane)


def unrouted(bootstrap: str) -> int:
    """How many source records the router has not brought to their lanes yet."""
    return lag(bootstrap, "signalbox.router", EVENTS)


def lag(bootstrap: str, group: str, topic: str) -> int:
    """How many records of a topic lie above what the group has committed."""
    consumer = Consumer(consumer_config(bootstrap, group))
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        committed = consumer.committed([TopicPartition(topic, number) for number in partitions], timeout=10)
        ends = (consumer.get_watermark_offsets(partition, timeout=10)[1] for partition in committed)
        return sum(end - max(0, partition.offset) for partition, end in zip(committed, ends, strict=True))
    finally:
        consumer.close()


def one(made: Rig, load: Load | None, run: str) -> latency.Latencies:
    """One measurement. Raises `RuntimeError` if the backlog did not last."""
    if load is None:
        return latency.measure(made.bootstrap, RATE, SECONDS, run)
    throughput.fill(made.bootstrap, BACKLOG + RESERVE, f"{run}-backlog", load.event_type)
    # what stands in the source topic delays all alike: the lane is what is measured here
    wait_until(lambda: unrouted(made.bootstrap) == 0, 120, "the backlog is in its lane")
    measured = latency.measure(made.bootstrap, RATE, SECONDS, run)
    left = waiting(made.bootstrap, load.lane)
    if left < BACKLOG:
        raise RuntimeError(f"only {left:,} events still wait in {load.lane}: raise RESERVE")
    wait_until(lambda: waiting(made.bootstrap, load.lane) == 0, 120, f"{load.lane} is fed")
    return measured


def main() -> int:
    """Print the table; 0 if both median p50 are within twice the idle one."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    results: dict[str, list[latency.Latencies]] = {name: [] for name in LOADS}
    with rig() as made:
        made.extra_env |= {
            "SIGNALBOX_ROUTING_TABLE": str(CONFIG / "routing_table.yaml"),
            "SIGNALBOX_WORKFLOWS": str(CONFIG / "workflows.yaml"),
        }
        latency.warm(made.bootstrap)
        made.run("dispatcher", "dispatcher")
        made.run("worker", "worker", FRAUD_QUEUE)
        made.run("bulk", "worker", OTHER_QUEUE)
        latency.measure(made.bootstrap, RATE, 5, "warm-up")
        for turn in range(rounds):
            for name, load in LOADS.items():
                results[name].append(one(made, load, f"{turn}-{name.replace(' ', '-')}"))
                print(f"round {turn + 1}: {name:26} {results[name][-1]}", flush=True)
    return report(results)


def report(results: dict[str, list[latency.Latencies]]) -> int:
    """Print the medians; 0 if the bound holds."""
    p50 = {name: statistics.median(r.p50 for r in runs) for name, runs in results.items()}
    idle = p50["nothing else"]
    for name, runs in results.items():
        p99 = statistics.median(r.p99 for r in runs)
        print(f"{name:26} p50 {p50[name]:6.1f} ms ({p50[name] / idle:4.2f} x idle), p99 {p99:6.1f} ms")
    return 0 if all(value <= 2 * idle for value in p50.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
