"""Feast's Python SDK with its Redis online store. Run by `benchmarks.online`, by an interpreter that has it.

    python benchmarks/online_feast.py PORT FOLDER CUSTOMERS SIZE:ROUNDS,…

To database 3 go, of each customer, 20 values that are ready, and the times and amounts of 60 orders. It
looks up the values; and, which is what the store beside it answers, works the same 20 features out of the
orders for the moment that asks, by an on-demand view in the mode `python`, the quickest that Feast has. The
seconds of each read are printed by kind and size, as JSON. A read ends where the values are in Python.
"""

import json
import os
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

os.environ["FEAST_USAGE"] = "False"

import numpy as np
import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, RequestSource
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Array, Float64, Int64

READY = [f"f{number}" for number in range(20)]
WINDOWS = (1, 2, 3, 5, 7, 10, 14, 21, 28, 30)
WORKED_OUT = [f"{kind}_{days}d" for days in WINDOWS for kind in ("count", "mean")]
DAY_S = 86_400
NOW = 20_000 * DAY_S
ORDERS = 60

Columns = dict[str, list[Any]]


def windows(asked: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Number and mean amount of the orders in each window before `at`, of each customer.

    Feast keeps its source and runs that: everything it needs is in here.
    """
    import numpy as np

    days = (1, 2, 3, 5, 7, 10, 14, 21, 28, 30)
    spans = np.array([0, *(-86_400 * each for each in days)])
    counts, means = [], []
    for at, times, amounts in zip(asked["at"], asked["times"], asked["amounts"], strict=True):
        places = np.searchsorted(times, at + spans)
        sums = np.concatenate(([0.0], np.cumsum(amounts)))[places]
        number = places[0] - places[1:]
        counts.append(number.astype(float).tolist())
        means.append(((sums[0] - sums[1:]) / np.maximum(number, 1)).tolist())
    of_all = (*zip(*counts, strict=True), *zip(*means, strict=True))
    names = [f"{kind}_{each}d" for kind in ("count", "mean") for each in days]
    return {name: list(column) for name, column in zip(names, of_all, strict=True)}


def made_store(port: int, folder: Path, customers: int) -> FeatureStore:
    """A store with both views, all of whose values are online."""
    config = RepoConfig(
        project="benchmark",
        provider="local",
        registry=str(folder / "registry.db"),
        online_store={"type": "redis", "connection_string": f"127.0.0.1:{port},db=3"},
        offline_store={"type": "file"},
        entity_key_serialization_version=3,
    )
    store = FeatureStore(config=config)
    customer = Entity(name="customer", join_keys=["customer"])
    ready = _view(customer, "ready", folder, [Field(name=name, dtype=Float64) for name in READY])
    kinds = [Field(name="times", dtype=Array(Int64)), Field(name="amounts", dtype=Array(Float64))]
    orders = _view(customer, "orders", folder, kinds)
    schema = [Field(name=name, dtype=Float64) for name in WORKED_OUT]
    moment = RequestSource(name="moment", schema=[Field(name="at", dtype=Int64)])
    asked = on_demand_feature_view(name="asked", sources=[orders, moment], schema=schema, mode="python")(
        windows
    )
    rng = np.random.default_rng(1)
    frames: dict[str, dict[str, Any]] = {
        "ready": {name: rng.random(customers) for name in READY},
        "orders": {
            "times": [
                np.sort(rng.integers(NOW - 30 * DAY_S, NOW, ORDERS)).tolist() for _ in range(customers)
            ],
            "amounts": [rng.uniform(1, 100, ORDERS).tolist() for _ in range(customers)],
        },
    }
    _write(folder, frames, customers)
    store.apply([customer, ready, orders, asked])
    for name in frames:
        store.write_to_online_store(name, pd.read_parquet(folder / f"{name}.parquet"))
    return store


def _view(customer: Entity, name: str, folder: Path, schema: list[Field]) -> FeatureView:
    source = FileSource(path=str(folder / f"{name}.parquet"), timestamp_field="event_timestamp")
    return FeatureView(name=name, entities=[customer], ttl=timedelta(days=60), schema=schema, source=source)


def _write(folder: Path, frames: dict[str, dict[str, Any]], customers: int) -> None:
    for name, columns in frames.items():
        frame = pd.DataFrame({"customer": range(customers), "event_timestamp": datetime.now(UTC), **columns})
        frame.to_parquet(folder / f"{name}.parquet")


def timed(
    read: Callable[[list[int]], Columns], one: str, customers: int, sizes: str
) -> dict[str, list[float]]:
    """The seconds of each read, by size. Raises `SystemExit` if the feature `one` lacks a value."""
    took: dict[str, list[float]] = {}
    for size, rounds in (map(int, part.split(":")) for part in sizes.split(",")):
        rng, seconds = random.Random(size), []
        for number in range(rounds + 20):
            some = rng.sample(range(customers), size)
            began = time.perf_counter()
            values = read(some)
            if number >= 20:
                seconds.append(time.perf_counter() - began)
            if None in values[one]:
                raise SystemExit("Feast did not find what was written")
        took[str(size)] = seconds
    return took


def _looked_up(store: FeatureStore, some: list[int]) -> Columns:
    rows = [{"customer": each} for each in some]
    found: Columns = store.get_online_features([f"ready:{name}" for name in READY], rows).to_dict()
    return found


def _worked_out(store: FeatureStore, some: list[int]) -> Columns:
    rows = [{"customer": each, "at": NOW} for each in some]
    found: Columns = store.get_online_features([f"asked:{name}" for name in WORKED_OUT], rows).to_dict()
    return found


def main(port: int, folder: Path, customers: int, sizes: str) -> None:
    """Print the seconds of each read."""
    store = made_store(port, folder, customers)
    took = {
        "looked up": timed(partial(_looked_up, store), READY[0], customers, sizes),
        "worked out": timed(partial(_worked_out, store), WORKED_OUT[0], customers, sizes),
    }
    print(json.dumps(took))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
