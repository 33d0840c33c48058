"""Throughput of one feature pipeline: events a second, and for each second of a core.

    python -m benchmarks.pipeline

One process between a real Kafka, a real Redis, and SQLite or the database of `--database`; a full topic, and
the start left out. A core's second is one of the process's own: what Kafka and Redis take is theirs. Then the
stages alone, in this process and without Kafka.
"""

import argparse
import random
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import psutil

from benchmarks.orders import order
from benchmarks.throughput import fill
from events.topics import EVENTS
from features.offline.store import OfflineStore, open_offline
from features.pipeline.batching import take
from features.pipeline.counting import count
from features.pipeline.pushing import Pusher
from features.pipeline.reading import Record
from features.pipeline.standing import Stand
from features.redis_store import RedisStore
from features.retail import DEFINITIONS
from tests.faults.processes import wait_until
from tests.faults.rig import Rig, rig
from transport.clock import system_clock

TOPIC = "stages"
BATCH = 500
"""What a partition has of a batch, where four are read together."""


class Stopwatch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def watch(self, owner: object, method: str, stage: str) -> None:
        """Time every call of a method from now on."""
        inner: Callable[..., Any] = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return inner(*args, **kwargs)
            finally:
                self.seconds[stage] += time.perf_counter() - start

        setattr(owner, method, timed)


def stages(number: int, offline: OfflineStore, online: RedisStore) -> dict[str, float]:
    """Microseconds an event of each stage."""
    rng, now = random.Random(1), system_clock()
    records = [Record(each, now, order(each, "stages", now, rng)[1], None) for each in range(number)]
    watch = Stopwatch()
    for owner, method, stage in (
        (offline, "commit", "commit to SQL"),
        (offline, "rows", "read rows that are new online"),
        (online, "append", "append to rows"),
        (online, "put", "put new rows"),
    ):
        watch.watch(owner, method, stage)
    pusher = Pusher(TOPIC, DEFINITIONS, offline, online, lambda: None)
    pusher.greet(0, 0)
    start = time.perf_counter()
    for first in range(0, number, BATCH):
        began = time.perf_counter()
        taken = take((TOPIC, 0), Stand(first), records[first : first + BATCH], DEFINITIONS, now)
        watch.seconds["decode, validate, extract"] += time.perf_counter() - began
        for counted in count(offline, taken.batch, now):
            pusher.push(counted)
    watch.seconds["all"] = time.perf_counter() - start
    return {stage: seconds / number * 1e6 for stage, seconds in watch.seconds.items()}


def throughput(made: Rig, number: int, database: str) -> tuple[float, float]:
    """Events a second, and events for each second of a core, from the first tenth to the last of `number`."""
    fill(made.bootstrap, number, "pipeline")
    offline, online = open_offline(database), RedisStore(made.store_url)
    offline.create(DEFINITIONS)
    child = made.run("pipeline", "features", "pipeline", DATABASE_URL=database)

    def counted() -> int:
        return sum(offline.positions(EVENTS).values())

    process = psutil.Process(child.pid)
    wait_until(lambda: counted() >= number / 10, 60, "the first tenth")
    first, start, cpu = counted(), time.perf_counter(), _cpu(process)
    wait_until(lambda: counted() >= number, 300, "all are counted")
    events = number - first
    wall, core = time.perf_counter() - start, _cpu(process) - cpu
    wait_until(lambda: sum(online.heartbeats().offsets.values()) >= number, 60, "all are pushed")
    made.stop("pipeline")
    return events / wall, events / core


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--database", help="an empty one; SQLite in a folder of the run where none is named")
    args = parser.parse_args()
    with rig(one_redis=True) as made:
        database = args.database or f"sqlite:///{made.folder}/pipeline.db"
        wall, core = throughput(made, args.events, database)
        print(f"one process, {args.events:,} orders: {wall:,.0f}/s, {core:,.0f} for a second of a core")
        offline = open_offline(f"sqlite:///{made.folder}/stages.db")
        offline.create(DEFINITIONS)
        online = RedisStore(made.store_url)
        made.empty_redis()
        print(f"stages, {BATCH} events a batch, us an event:")
        for stage, took in stages(args.events // 4, offline, online).items():
            print(f"  {stage:32}{took:8.1f}")


if __name__ == "__main__":
    main()
