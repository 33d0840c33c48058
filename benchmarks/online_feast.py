"""Feast's Python SDK with its Redis online store. Run by `benchmarks.online`, by an interpreter that has it.

    python benchmarks/online_feast.py PORT FOLDER CUSTOMERS SIZE:ROUNDS,…

Writes 20 values of each customer to database 3, reads them, and prints the seconds of each read by size, as
JSON. A read ends where the values are in Python, as they are after one of ours.
"""

import json
import os
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

os.environ["FEAST_USAGE"] = "False"

import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig
from feast.types import Float64

FEATURES = [f"f{number}" for number in range(20)]


def made_store(port: int, folder: Path, customers: int) -> FeatureStore:
    """A store with one view, all of whose values are online."""
    now = datetime.now(UTC)
    frame = pd.DataFrame({"customer": range(customers), "event_timestamp": now})
    for name in FEATURES:
        frame[name] = [random.random() for _ in range(customers)]
    source_file = folder / "feast.parquet"
    frame.to_parquet(source_file)
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
    view = FeatureView(
        name="orders",
        entities=[customer],
        ttl=timedelta(days=60),
        schema=[Field(name=name, dtype=Float64) for name in FEATURES],
        source=FileSource(path=str(source_file), timestamp_field="event_timestamp"),
    )
    store.apply([customer, view])
    store.write_to_online_store("orders", frame)
    return store


def main(port: int, folder: Path, customers: int, sizes: str) -> None:
    """Print the seconds of each read."""
    store = made_store(port, folder, customers)
    features = [f"orders:{name}" for name in FEATURES]
    took: dict[str, list[float]] = {}
    for size, rounds in (map(int, part.split(":")) for part in sizes.split(",")):
        rng, seconds = random.Random(size), []
        for number in range(rounds + 20):
            rows = [{"customer": each} for each in rng.sample(range(customers), size)]
            began = time.perf_counter()
            values = store.get_online_features(features=features, entity_rows=rows).to_dict()
            if number >= 20:
                seconds.append(time.perf_counter() - began)
            if None in values[FEATURES[0]]:
                raise SystemExit("Feast did not find what was written")
        took[str(size)] = seconds
    print(json.dumps(took))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
