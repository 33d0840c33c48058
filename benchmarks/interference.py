"""Does an urgent order wait while 100,000 others do?

    python -m benchmarks.interference

p50 and p99 of `order.placed` at 50 a second: with nothing else, with a lane of another queue full (served by a pool of its own), and with a
lower lane of its own queue full. Five interleaved runs; the medians count.
"""

import statistics
import sys
from functools import partial
from pathlib import Path

from benchmarks import latency, throughput
from benchmarks.orders import order
from tests.faults.rig import FRAUD_QUEUE, Rig, rig

RATE = 50
SECONDS = 8.0
ROUNDS = 5
BACKLOG = 100_000
CONFIG = Path(__file__).with_name("interference")
OTHER_QUEUE = "ml.fraud.bulk"
LOADS = {"nothing else": None, "another lane": "order.returned", "a lower lane of its queue": "refund.requested"}


def backlog(made: Rig, event_type: str, lane: str, run: str) -> int:
    """Fill a lane until `BACKLOG` more than a measurement takes stand in it; how many are left to feed."""
    throughput.fill(made.bootstrap, 3 * BACKLOG, run, partial(order, event_type=event_type))
    return throughput.EndOffsets(made.bootstrap, lane).count()


def main() -> int:
    """Print the table; 0 where both median p50 are within twice the idle one."""
    results: dict[str, list[latency.Latencies]] = {name: [] for name in LOADS}
    with rig() as made:
        made.extra_env |= {
            "SIGNALBOX_ROUTING_TABLE": str(CONFIG / "routing_table.yaml"),
            "SIGNALBOX_WORKFLOWS": str(CONFIG / "workflows.yaml"),
        }
        made.run("dispatcher", "dispatcher")
        made.run("worker", "worker", FRAUD_QUEUE)
        made.run("bulk", "worker", OTHER_QUEUE)
        made.wait_for_assignment(f"signalbox.feeder.{FRAUD_QUEUE}.high")
        for turn in range(ROUNDS):
            for name, event_type in LOADS.items():
                results[name].append(_one(made, event_type, f"{turn}-{name.replace(' ', '-')}"))
                print(f"round {turn + 1}: {name:26} {results[name][-1]}", flush=True)
    return _report(results)


def _one(made: Rig, event_type: str | None, run: str) -> latency.Latencies:
    if event_type is not None:
        throughput.fill(made.bootstrap, 3 * BACKLOG, run, partial(order, event_type=event_type))
    measured = latency.measure(made.bootstrap, RATE, SECONDS, run)
    return measured


def _report(results: dict[str, list[latency.Latencies]]) -> int:
    p50 = {name: statistics.median(r.p50 for r in runs) for name, runs in results.items()}
    idle = p50["nothing else"]
    for name, runs in results.items():
        p99 = statistics.median(r.p99 for r in runs)
        print(f"{name:26} p50 {p50[name]:6.1f} ms ({p50[name] / idle:4.2f} x idle), p99 {p99:6.1f} ms")
    return 0 if all(value <= 2 * idle for value in p50.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
