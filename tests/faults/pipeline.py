"""Kill run of the feature pipeline: both tiers end up with what a batch computation returns.

python -m tests.faults.pipeline
python -m tests.faults.pipeline --seed 7 --restart-redis
"""

import argparse
import random
import sys
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

from confluent_kafka import Consumer, Producer, TopicPartition

from events.topics import EVENTS
from features.offline.store import OfflineStore, open_offline
from features.redis_store import RedisStore
from tests.faults.feature_events import DAY_S, Batch, Sent, sent
from tests.faults.feature_values import Compared, compare
from tests.faults.kills import Plan
from tests.faults.processes import wait_until
from tests.faults.rig import Rig, rig
from transport.clock import system_clock
from transport.kafka import consumer_config, producer_config

TENANT = "kill-run"
MEMBERS = ("pipeline-1", "pipeline-2")
KILLS = 10
SETTLE_SECONDS = 90


class Source:
    """Sends events; `batch` has each of them once, `records` is how many were sent."""

    def __init__(self, bootstrap: str, events: Iterable[Sent]) -> None:
        self.batch = Batch()
        self.records = 0
        self.seen: set[str] = set()
        self._events = events
        self._producer = Producer(producer_config(bootstrap, **{"linger.ms": 5}))

    def run(self, rate: float) -> None:
        """Send all, so many a second. Returns once Kafka has them."""
        start = time.monotonic()
        for each in self._events:
            if (left := start + self.records / rate - time.monotonic()) > 0:
                self._producer.poll(0)
                time.sleep(left)
            self._producer.produce(EVENTS, value=each.value, key=each.key)
            self.records += 1
            event_id = each.event["event_id"]
            if event_id not in self.seen:
                self.seen.add(event_id)
                self.batch.add(each.event)
        self._producer.flush(120)


def ends(bootstrap: str, topic: str = EVENTS) -> dict[int, int]:
    """The next offset of each partition that holds anything."""
    consumer = Consumer(consumer_config(bootstrap, "fault-run"))
    try:
        numbers = consumer.list_topics(topic, 10).topics[topic].partitions
        found = {number: consumer.get_watermark_offsets(TopicPartition(topic, number)) for number in numbers}
        return {number: high for number, (_, high) in found.items() if high}
    finally:
        consumer.close()


def settled(offline: OfflineStore, online: RedisStore, until: dict[int, int]) -> bool:
    """Whether both tiers have come to these offsets."""
    tiers = (offline.positions(EVENTS), online.heartbeats().offsets)
    return all(tier.get(number, 0) >= offset for tier in tiers for number, offset in until.items())


def times(seed: int, now: int) -> tuple[int, ...]:
    """Now, and moments of the past: of the last days, and further back than rows are kept unfolded."""
    rng = random.Random(seed)
    return (now, *(now - rng.randrange(days * DAY_S) * 1_000 for days in (1, 6, 6, 35)))


def plan(made: Rig, waiting: Callable[[], int], seed: int, seconds: float, *, restart_redis: bool) -> Plan:
    """Ten kills, of either member, while events come in; each says how many wait to be counted then."""
    rng = random.Random(seed)
    made_plan = Plan()

    def kill(name: str) -> None:
        made.parts[name].kill()
        print(f"            {waiting():,} events waited to be counted", flush=True)
        made.parts[name].start()

    for _ in range(KILLS):
        name = rng.choice(MEMBERS)
        made_plan.add(rng.uniform(3, seconds), f"SIGKILL {name}", partial(kill, name))
    if restart_redis:
        at = rng.uniform(3, seconds)
        made_plan.add(at, "SIGKILL redis", partial(made.restart, "store"))
    return made_plan


def report(tiers: dict[str, Compared]) -> bool:
    """Print what was compared; true if no value differs."""
    for name, compared in tiers.items():
        print(f"{name}: {compared}")
        for line in compared.wrong[:10]:
            print(f"  {line}")
    return all(compared.values and not compared.wrong for compared in tiers.values())


def main() -> int:
    """Run once; 0 if both tiers equal the batch computation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=120_000)
    parser.add_argument("--rate", type=float, default=1_500)
    parser.add_argument("--restart-redis", action="store_true", help="kill Redis too, while it is written to")
    parser.add_argument("--database", help="an empty one; SQLite in the run's folder where none is named")
    args = parser.parse_args()
    now = system_clock()
    with rig(one_redis=True) as made:
        if args.database:
            made.extra_env["DATABASE_URL"] = args.database
        print(f"seed {args.seed}, logs in {made.folder}", flush=True)
        offline, online = open_offline(made.env["DATABASE_URL"]), RedisStore(made.store_url)
        for name in MEMBERS:
            made.run(name, "features", "pipeline")
        source = Source(made.bootstrap, sent(args.seed, args.events, TENANT, now))
        sending = threading.Thread(target=source.run, args=(args.rate,))
        sending.start()

        def waiting() -> int:
            return source.records - sum(offline.positions(EVENTS).values())

        seconds = args.events / args.rate
        plan(made, waiting, args.seed, seconds, restart_redis=args.restart_redis).play(time.monotonic())
        sending.join()
        print(f"sent {source.records:,} records of {len(source.seen):,} events")
        until, last = ends(made.bootstrap), time.monotonic()
        wait_until(lambda: settled(offline, online, until), SETTLE_SECONDS, "both tiers at the topic's end")
        print(f"settled {time.monotonic() - last:.1f} s after the last event (limit {SETTLE_SECONDS} s)")
        tiers = compare(source.batch, TENANT, times(args.seed, now), offline, online)
        return 0 if report(dict(zip(("offline", "online"), tiers, strict=True))) else 1


if __name__ == "__main__":
    sys.exit(main())
