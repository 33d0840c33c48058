"""How long a model waits for its features: this store, the bare Redis round trip, Feast's Python SDK.

    python -m benchmarks.online [--feast-python /path/to/venv/bin/python]

A redis-server of its own on this machine. Each customer has two orders a day for thirty days, and is asked
for 20 features: the number of orders and their mean amount in each of ten windows, worked out at the time of
the event that asks; a read ends with the matrix that a model takes. A plain MGET of redis-py fetches as many
rows of the same bytes, in turns with the store.
Feast looks up 20 values that are ready, and works the same 20 out of the orders by an on-demand view; it
wants a venv of its own with `feast[redis]`.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from redis import Redis

from events.errors import Unavailable
from features.contract import Contract
from features.heartbeats import Heartbeat
from features.increments import encode_row
from features.keys import POSITION_KEY, EntityKey, row_key, shelf_of
from features.reading import Asked, BatchRows, Of, Rows, Span, Within
from features.redis_store import RedisStore
from features.schema import Aggregate, BatchView, Definitions, Entity, Measure, StreamView
from features.segments import INCREMENT, Segment
from features.table import Floats, matrix_of
from features.tiered import TieredReader
from features.views import DAY_S
from tasks.memory import keep_memory
from tests.faults.processes import accepts, free_port, redis, wait_until

NOW = 20_000 * DAY_S
TENANT = "acme"
CUSTOMERS = 10_000
DAYS, A_DAY = 30, 2
WINDOWS = (1, 2, 3, 5, 7, 10, 14, 21, 28, 30)
SIZES = ((1, 4_000), (64, 1_000), (256, 500))
"""How many entities at once, and how often."""
MOST_OF_RAW, MOST_ALONE_MS, LEAST_OF_FEAST = 2.0, 1.0, 10.0

VIEW = StreamView(
    name="orders",
    entity="customer",
    measures=(Measure("orders", "order.placed", of="amount", decimals=2),),
    features=tuple(
        feature
        for days in WINDOWS
        for feature in (
            Aggregate(f"count_{days}d", "count", "orders", days=days),
            Aggregate(f"mean_{days}d", "mean", "orders", days=days),
        )
    ),
    ttl_days=60,
    freshness_s=60,
    owner="benchmark",
    description="what a customer ordered",
)
DEFINITIONS = Definitions.of([Entity("customer", "customer_id", "who buys")], [VIEW])
CONTRACT = Contract.of(DEFINITIONS, VIEW.names)


class Took(NamedTuple):
    """Milliseconds a call."""

    p50: float
    p99: float

    @staticmethod
    def of(seconds: Sequence[float]) -> "Took":
        """Of many calls."""
        cuts = statistics.quantiles(seconds, n=100)
        return Took(1_000 * statistics.median(seconds), 1_000 * cuts[98])


class NoSql:
    """Everything stands online: who asks further has found a mistake of this benchmark."""

    def rows(self, view: StreamView, keys: Sequence[Of]) -> Rows:
        raise Unavailable("offline feature store", f"{view.name} of {len(keys)}")

    def rows_within(self, view: StreamView, spans: Sequence[Span]) -> Within:
        raise Unavailable("offline feature store", f"{view.name} within {len(spans)} spans")

    def batch_rows(self, view: BatchView, keys: Sequence[Of]) -> BatchRows:
        raise Unavailable("offline feature store", f"{view.name} of {len(keys)}")


def fill(store: RedisStore) -> None:
    """Every customer's row."""
    rng = np.random.default_rng(1)
    store.append(0, 0, Heartbeat(1, NOW * 1_000, NOW * 1_000), [])

    def rows() -> "list[tuple[str, bytes, int]]":
        return [(key_of(number), _row(rng), 86_400) for number in range(CUSTOMERS)]

    store.put(rows(), {0: 1})


def _row(rng: np.random.Generator) -> bytes:
    increments = np.zeros(DAYS * A_DAY, INCREMENT)
    increments["tile"] = np.sort(rng.integers(NOW - DAYS * DAY_S, NOW, DAYS * A_DAY))
    increments["n"] = 1
    increments["amount"] = rng.integers(1_00, 100_00, DAYS * A_DAY)
    return encode_row([Segment(0, 1, increments)], VIEW)


def key_of(number: int) -> str:
    """Where a customer's row stands."""
    return row_key(TENANT, shelf_of(VIEW), str(number))


def measure(reader: TieredReader, raw: Redis, size: int, rounds: int) -> tuple[Took, Took]:
    """The store and the bare round trip in turns, each time for customers who were not read just now."""
    rng = random.Random(size)
    ours, theirs = [], []
    for number in range(rounds + rounds // 10):
        some = rng.sample(range(CUSTOMERS), 2 * size)
        asked = [
            Asked({"customer": EntityKey(TENANT, "customer", str(each))}, NOW * 1_000, NOW * 1_000)
            for each in some[:size]
        ]
        keys = [POSITION_KEY, *map(key_of, some[size:])]
        took = _seconds(partial(values_of, reader, asked)), _seconds(partial(raw.mget, keys))
        # the first calls connect, load and warm caches
        if number >= rounds // 10:
            ours.append(took[0])
            theirs.append(took[1])
    return Took.of(ours), Took.of(theirs)


def values_of(reader: TieredReader, asked: Sequence[Asked]) -> Floats:
    """What a model takes: a row of numbers for each event."""
    return matrix_of([vector.values for vector in reader.read(CONTRACT, asked)], len(VIEW.features))


def _seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def feast(python: Path, port: int, folder: Path) -> dict[str, dict[int, Took]]:
    """The same sizes through Feast's SDK by kind of read, in its own interpreter, against the same Redis."""
    script = Path(__file__).with_name("online_feast.py")
    sizes = ",".join(f"{size}:{rounds // 4}" for size, rounds in SIZES)
    command = [str(python), str(script), str(port), str(folder), str(CUSTOMERS), sizes]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    said = msgspec.json.decode(printed.splitlines()[-1], type=dict[str, dict[int, list[float]]])
    return {
        kind: {size: Took.of(seconds) for size, seconds in by_size.items()} for kind, by_size in said.items()
    }


def report(ours: dict[int, tuple[Took, Took]], theirs: dict[str, dict[int, Took]]) -> list[str]:
    """Print the table; which aims are not met."""
    print("entities                      p50 ms    p99 ms   p50 by raw Redis")
    unmet = []
    for size, (store, raw) in ours.items():
        by_feast = {f"Feast, {kind}": by_size[size] for kind, by_size in theirs.items()}
        for name, took in {"store": store, "raw Redis": raw, **by_feast}.items():
            print(f"{size:8} {name:18} {took.p50:8.3f} {took.p99:9.3f} {took.p50 / raw.p50:18.2f}")
        if store.p50 > MOST_OF_RAW * raw.p50:
            unmet.append(f"{size}: {store.p50 / raw.p50:.1f} times the raw round trip, not {MOST_OF_RAW:g}")
        for name, took in by_feast.items():
            if took.p50 < LEAST_OF_FEAST * store.p50:
                unmet.append(
                    f"{size}: {name} takes {took.p50 / store.p50:.1f} times as long, not {LEAST_OF_FEAST:g}"
                )
    if ours[1][0].p99 >= MOST_ALONE_MS:
        unmet.append(f"1: p99 is {ours[1][0].p99:.2f} ms, not below {MOST_ALONE_MS:g}")
    return unmet


def main() -> int:
    """0 if every aim is met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--feast-python", type=Path, help="an interpreter that has feast[redis]")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        server = redis("redis", port, folder)
        server.start()
        try:
            wait_until(lambda: accepts(port), 20, "redis answers")
            url = f"redis://127.0.0.1:{port}/0"
            store = RedisStore(url, timeout_s=10)
            fill(store)
            reader = TieredReader(DEFINITIONS, store, NoSql())
            # as a worker does once it is loaded
            keep_memory()
            with Redis.from_url(url) as raw:
                ours = {size: measure(reader, raw, size, rounds) for size, rounds in SIZES}
            theirs = feast(args.feast_python, port, folder) if args.feast_python else {}
        finally:
            server.stop()
    unmet = report(ours, theirs)
    if not theirs:
        print("Feast was not measured: name an interpreter that has feast[redis] with --feast-python")
    for aim in unmet:
        print("NOT MET", aim)
    return 1 if unmet else 0


if __name__ == "__main__":
    sys.exit(main())
