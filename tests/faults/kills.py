"""Kill run of the spine: 50,000 events have one outcome each, by the right features.

python -m tests.faults.kills --broker redis
python -m tests.faults.kills --broker rabbitmq
python -m tests.faults.kills --broker redis --empty-redis
"""

import argparse
import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from confluent_kafka import Producer

from benchmarks.orders import order
from events.topics import EVENTS
from tests.faults.outcomes import OutcomeReader, Outcomes
from tests.faults.processes import Child, free_port
from tests.faults.rig import FRAUD_QUEUE, Rig, rig, scrape
from transport.clock import system_clock
from transport.kafka import producer_config

SETTLE_SECONDS = 60


@dataclass
class Plan:
    """Which fault happens when, in seconds after the first event."""

    steps: list[tuple[float, str, Callable[[], object]]] = field(default_factory=list)

    def add(self, at: float, what: str, do: Callable[[], object]) -> None:
        """Plan one fault."""
        self.steps.append((at, what, do))

    def play(self, start: float) -> None:
        """Do each at its moment, and say so."""
        for at, what, do in sorted(self.steps, key=lambda step: step[0]):
            time.sleep(max(0.0, start + at - time.monotonic()))
            print(f"  {time.monotonic() - start:6.1f} s  {what}", flush=True)
            do()


def _again(child: Child) -> None:
    child.kill()
    child.start()


def plan(made: Rig, seed: int, seconds: float, *, empty_redis: bool) -> Plan:
    """Three kills each of dispatcher, pipeline, worker; a second dispatcher comes and goes; each service."""
    rng = random.Random(seed)
    made_plan = Plan()
    for name in ("dispatcher", "features", "worker"):
        for _ in range(3):
            child = made.parts[name]
            made_plan.add(rng.uniform(3, seconds), f"SIGKILL {name}", partial(_again, child))
    joins = rng.uniform(3, seconds / 2)
    made_plan.add(joins, "a second dispatcher joins", partial(made.run, "dispatcher-2", "dispatcher"))
    made_plan.add(joins + seconds / 3, "the second dispatcher leaves", partial(made.stop, "dispatcher-2"))
    for service in made.services:
        made_plan.add(
            rng.uniform(3, seconds), f"{service} is killed and restarted", partial(made.restart, service)
        )
    if empty_redis:
        made_plan.add(seconds / 2, "Redis is emptied", made.empty_redis)
    return made_plan


def produce(made: Rig, count: int, rate: float, run: str) -> None:
    """Write the events at a steady rate, through the restart of Kafka too."""
    producer = Producer(producer_config(made.bootstrap, **{"linger.ms": 5, "log_level": 2}))
    rng = random.Random(run)
    start = time.monotonic()
    for number in range(count):
        if (left := start + number / rate - time.monotonic()) > 0:
            producer.poll(0)
            time.sleep(left)
        key, value = order(number, run, system_clock(), rng)
        producer.produce(EVENTS, value=value, key=key)
    producer.flush(120)


def settle(reader: OutcomeReader, events: set[str], seconds: float) -> tuple[Outcomes, float]:
    """Read until every event has an outcome, at most `seconds`; and how long that took."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        outcomes = reader.read(1)
        if len(events & outcomes.ids.keys()) == len(events):
            break
    return reader.outcomes, time.monotonic() - start


def report(outcomes: Outcomes, events: set[str], took: float, fed_again: int, *, emptied: bool) -> bool:
    """Print what came out; True if each event has its one decision.

    Where Redis was `emptied`, some must have had their features from the offline tier.
    """
    missing = events - outcomes.ids.keys()
    several = [event for event, ids in outcomes.ids.items() if len(ids) > 1]
    print(f"events {len(events):,}; with an outcome {len(events) - len(missing):,}; missing {len(missing)}")
    print(f"settled {took:.1f} s after the last fault (limit {SETTLE_SECONDS} s)")
    print(f"predictions {sum(outcomes.predictions.values()):,}, of which a second time {outcomes.twice:,}")
    print(f"with features from the offline tier {outcomes.from_offline:,}")
    print(f"dead letters {dict(outcomes.dead_letters)}; events with more than one id {len(several)}")
    print(f"fed again by the reconciler {fed_again:,}")
    for event in sorted(missing)[:20]:
        print(f"  missing: {event}")
    return not missing and not several and (outcomes.from_offline > 0 or not emptied)


def main() -> int:
    """Run once; 0 if every event has its outcome."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", choices=("redis", "rabbitmq"), default="redis")
    parser.add_argument("--empty-redis", action="store_true")
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--rate", type=float, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with rig(broker=args.broker, one_redis=True) as made:
        print(f"seed {args.seed}, broker {args.broker}, logs in {made.folder}", flush=True)
        made.run("dispatcher", "dispatcher")
        metrics = free_port()
        made.run("reconciler", "reconcile", SIGNALBOX_METRICS_PORT=str(metrics))
        made.run("features", "features", "pipeline")
        made.run("worker", "worker", FRAUD_QUEUE)
        run = f"kills-{args.seed}"
        reader = OutcomeReader(made.bootstrap, [FRAUD_QUEUE])
        source = threading.Thread(target=produce, args=(made, args.events, args.rate, run))
        source.start()
        plan(made, args.seed, args.events / args.rate, empty_redis=args.empty_redis).play(time.monotonic())
        source.join()
        events = {f"{run}-{number}" for number in range(args.events)}
        outcomes, took = settle(reader, events, SETTLE_SECONDS)
        fed_again = int(scrape(metrics, "signalbox_events_fed_again_total"))
        good = report(outcomes, events, took, fed_again, emptied=args.empty_redis)
        skewed = made.complete("skew", "features", "skew", check=False)
        print((made.folder / "skew.log").read_text().rstrip())
        return 0 if good and not skewed else 1


if __name__ == "__main__":
    sys.exit(main())
