"""What a very busy entity costs: a terminal that every order goes through, a customer who orders all day.

    python -m benchmarks.busy [--orders 5000000] [--customer 100000] [--database URL]

A redis-server of its own, SQLite or an empty database, and the pipeline's stages in this process, without
Kafka. First as many orders of many terminals as a yardstick of the usual speed, then the busy ones, spread
over a day and four partitions. Then reads of both rows online, from SQL as of now, and from SQL as of moments
of the past; and the values that were served against those of the single increments.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import psutil

from benchmarks.orders import order
from features.contract import Contract
from features.keys import EntityKey, row_key, shelf_of
from features.offline.join import values_at
from features.offline.store import OfflineStore, open_offline
from features.pipeline.batching import take
from features.pipeline.counting import count
from features.pipeline.pushing import Pusher
from features.pipeline.reading import Record
from features.pipeline.standing import Stand
from features.reading import Asked, Span
from features.redis_store import RedisStore
from features.retail import CUSTOMER_ORDERS, DEFINITIONS, TERMINAL_ORDERS
from features.table import matrix_of
from features.tiered import TieredReader
from tests.faults.processes import accepts, free_port, redis, wait_until
from transport.clock import system_clock

TOPIC = "busy"
PARTITIONS, BATCH = 4, 500
DAY_MS = 86_400_000
TERMINAL, CUSTOMER = "web", "c-busy"
CONTRACT = Contract.of(DEFINITIONS, (*CUSTOMER_ORDERS.names, *TERMINAL_ORDERS.names))
ONLINE_MS, SQL_MS, ROW_BYTES, SPEED = 5.0, 50.0, 1_000_000, 0.8
"""The aims: p99 of a read, the longest row, and the least share of the usual speed."""


class Stream:
    """Orders that are counted and pushed batch by batch, a partition after the other."""

    def __init__(self, offline: OfflineStore, online: RedisStore) -> None:
        self._pusher = Pusher(TOPIC, DEFINITIONS, offline, online, lambda: None)
        self._offline = offline
        self._rng = random.Random(1)
        self._stands = {partition: Stand(0) for partition in range(PARTITIONS)}
        self._number = 0
        self.now = system_clock()
        for partition in range(PARTITIONS):
            self._pusher.greet(partition, 0)

    def count(self, number: int, change: Callable[[int], Mapping[str, Any]]) -> Iterator[float]:
        """Orders a second of each tenth of `number`. `change` has what order `i` of them says otherwise."""
        tenth = max(number // 10, BATCH)
        for first in range(0, number, tenth):
            began = time.process_time()
            for begin in range(first, min(first + tenth, number), BATCH):
                self._batch(begin, min(BATCH, number - begin), number, change)
            yield min(tenth, number - first) / (time.process_time() - began)

    def _batch(self, begin: int, size: int, of: int, change: Callable[[int], Mapping[str, Any]]) -> None:
        partition = begin // BATCH % PARTITIONS
        stand = self._stands[partition]
        records = [
            Record(stand.position + place, self.now, self._order(begin + place, of, change), None)
            for place in range(size)
        ]
        taken = take((TOPIC, partition), stand, records, DEFINITIONS, self.now)
        for counted in count(self._offline, taken.batch, self.now):
            self._pusher.push(counted)
        self._stands[partition] = Stand(taken.batch.position, self.now, self.now)

    def _order(self, place: int, of: int, change: Callable[[int], Mapping[str, Any]]) -> bytes:
        self._number += 1
        made = msgspec.json.decode(order(self._number, "busy", self.now, self._rng)[1])
        made["occurred_at"] = self.now - DAY_MS + DAY_MS * place // of
        made["payload"] |= change(place)
        return msgspec.json.encode(made)


def busy(of: int, customers: int) -> Callable[[int], Mapping[str, Any]]:
    """All through one terminal, and so many of them by one customer."""
    each = max(of // customers, 1)

    def change(place: int) -> Mapping[str, Any]:
        whose = {"customer_id": CUSTOMER} if place % each == 0 else {}
        return {"terminal_id": TERMINAL, **whose}

    return change


class Took(NamedTuple):
    """Milliseconds of a read: the 99th percentile by the clock, the median of this process's own time."""

    p99: float
    own: float

    @classmethod
    def of(cls, action: Callable[[], object], times: int) -> "Took":
        """So many reads."""
        clock, own = [], []
        for _ in range(times):
            began, used = time.perf_counter(), time.process_time()
            action()
            clock.append(1_000 * (time.perf_counter() - began))
            own.append(1_000 * (time.process_time() - used))
        return cls(statistics.quantiles(clock, n=100)[98], statistics.median(own))


def asked(tenant: str, at: int) -> list[Asked]:
    """About both of them."""
    keys = {
        "customer": EntityKey(tenant, "customer", CUSTOMER),
        "terminal": EntityKey(tenant, "terminal", TERMINAL),
    }
    return [Asked(keys, at, at)]


def differing(offline: OfflineStore, online: RedisStore, tenant: str, now: int) -> int:
    """How many values that are served, around now and of the past, are not those of the increments."""
    reader = TieredReader(DEFINITIONS, online, offline)
    found = 0
    for at in (now, now - 30_000, now - 3_600_000, now - DAY_MS // 2, now + 7 * DAY_MS):
        vectors = reader.read(CONTRACT, asked(tenant, at))
        served = matrix_of([each.values for each in vectors], len(CONTRACT.names))
        known = [online.heartbeats().offsets]
        stored = [
            values_at(offline, view, [(tenant, whose)], np.array([at], np.int64), known).matrix
            for view, whose in ((CUSTOMER_ORDERS, CUSTOMER), (TERMINAL_ORDERS, TERMINAL))
        ]
        found += int((served != np.concatenate(stored, axis=1)).sum())
    return found


def run(offline: OfflineStore, online: RedisStore, orders: int, customer: int) -> list[str]:
    """Print what was measured; which aims are not met."""
    stream, process, unmet = Stream(offline, online), psutil.Process(), []
    tenant = str(msgspec.json.decode(order(0, "busy", stream.now, random.Random(1))[1])["tenant_id"])
    usual = list(stream.count(min(orders, 200_000), lambda _place: {}))
    print(f"usual: {statistics.median(usual):,.0f} orders for a second of a core")
    for tenth, speed in enumerate(stream.count(orders, busy(orders, customer)), start=1):
        print(f"busy, tenth {tenth:2}: {speed:,.0f}, {process.memory_info().rss / 2**20:,.0f} MB", flush=True)
    if speed < SPEED * statistics.median(usual):
        unmet.append(f"{speed:,.0f} orders a second, not {SPEED:.0%} of the usual")
    reader = TieredReader(DEFINITIONS, online, offline)
    reads = {"online": Took.of(lambda: reader.read(CONTRACT, asked(tenant, stream.now)), 500)}
    rng = random.Random(2)
    for view, whose in ((CUSTOMER_ORDERS, CUSTOMER), (TERMINAL_ORDERS, TERMINAL)):
        of = (tenant, whose)

        def past(view: Any = view, of: Any = of) -> object:
            tile = (stream.now - rng.randrange(DAY_MS)) // view.tile_ms
            return offline.rows_within(view, [Span(of, tile, tile)])

        reads[f"SQL, {whose}"] = Took.of(lambda view=view, of=of: offline.rows(view, [of]), 100)  # type: ignore[misc]  # a default binds the loop variable; mypy infers no type for it
        reads[f"SQL, {whose}, past"] = Took.of(past, 100)
        (row,), _ = online.read([row_key(tenant, shelf_of(view), whose)])
        print(f"{whose}: {len(row or b''):,} bytes online")
        if len(row or b"") > ROW_BYTES:
            unmet.append(f"the row of {whose} is longer than {ROW_BYTES:,} bytes")
    for name, took in reads.items():
        most = ONLINE_MS if name == "online" else SQL_MS
        print(f"read {name:22} p99 {took.p99:8.2f} ms, own time {took.own:6.2f} ms")
        if took.p99 > most:
            unmet.append(f"read {name}: p99 is {took.p99:.2f} ms, not below {most:g}")
    wrong = differing(offline, online, tenant, stream.now)
    print(f"{wrong} values differ from those of the increments")
    return [*unmet, *(["a value differs"] if wrong else [])]


def main() -> int:
    """0 if every aim is met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--orders", type=int, default=5_000_000)
    parser.add_argument("--customer", type=int, default=100_000)
    parser.add_argument("--database", help="an empty one; SQLite in a folder of the run if none is named")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        server = redis("redis", port, folder)
        server.start()
        try:
            wait_until(lambda: accepts(port), 20, "redis answers")
            offline = open_offline(args.database or f"sqlite:///{folder}/busy.db")
            offline.create(DEFINITIONS)
            online = RedisStore(f"redis://127.0.0.1:{port}/0", timeout_s=10)
            unmet = run(offline, online, args.orders, min(args.customer, args.orders))
        finally:
            server.stop()
    for aim in unmet:
        print("NOT MET", aim)
    return 1 if unmet else 0


if __name__ == "__main__":
    sys.exit(main())
