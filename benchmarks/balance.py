"""What counting costs `signalbox balance` for each event: memory while it reads and at the sum, and time.

    python -m benchmarks.balance --events 1000000

Each event is an order with its lane record and its prediction; the records are handed over without a Kafka.
"""

import argparse
import json
import resource
import time
from collections.abc import Iterator
from pathlib import Path

from events.decision import Position, lane_topic
from events.identity import prediction_id
from events.priority import Priority
from events.topics import EVENTS
from monitoring.balance import strike
from monitoring.ledger import Ledger, SourceRecord
from routing import load
from stack.examples import envelope

PARTITIONS = 4
LANE = lane_topic("ml.fraud.input", Priority.HIGH)
PAGE_BYTES = resource.getpagesize()


def resident() -> int:
    """Bytes of this process that are in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


def orders(events: int) -> Iterator[tuple[str, int, int]]:
    """The id of each order's prediction, the partition that it is in, and its offset there."""
    for number in range(events):
        name = prediction_id("acme", "shop", f"e-{number}", "fraud-classifier", "champion")
        yield name, number % PARTITIONS, number // PARTITIONS


def main() -> None:
    """Count so many events and print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    events = parser.parse_args().events

    rules = load("config/routing_table.yaml", "config/workflows.yaml")
    ledger, value = Ledger(rules.table), json.dumps(envelope("order.placed", "e-1")).encode()
    before, began = resident(), time.perf_counter()
    for name, partition, offset in orders(events):
        source, lane = Position(EVENTS, partition, offset), Position(LANE, partition, offset)
        ledger.on_source(SourceRecord(source, 1_000, value, None))
        ledger.on_lane(lane, name, source, rules.table.hash, 1_001)
        ledger.on_prediction(name, lane, source)
    took, held = time.perf_counter() - began, resident() - before
    struck = strike(ledger, rules.catalogue)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024 - before
    print("\n".join(struck.equations()))
    print(f"{held / events:.0f} bytes an event while it reads, {peak / events:.0f} at the sum")
    print(f"{events / took:,.0f} events/s")


if __name__ == "__main__":
    main()
