"""PostgreSQL is read-only, locked, frozen, without a column: who is online does not wait, none is given up.

python -m tests.faults.sql
python -m tests.faults.sql --seconds 10 --rate 100
"""

import argparse
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from statistics import median, quantiles

import msgspec
from confluent_kafka import Producer
from sqlalchemy import Engine, create_engine, text

from benchmarks.orders import order
from dispatcher.router import GROUP as ROUTER_GROUP
from events.prediction import Prediction
from events.topics import EVENTS
from features.offline.store import open_offline
from features.retail import DEFINITIONS
from tests.faults.answers import predictions
from tests.faults.kills import SETTLE_SECONDS, settle
from tests.faults.outcomes import OutcomeReader, Outcomes
from tests.faults.processes import wait_until
from tests.faults.rig import FRAUD_QUEUE, Rig, rig
from tests.integration.postgresql import Server, own_postgresql
from transport.clock import system_clock
from transport.kafka import producer_config

RUN = "sql"
REST_S = 10.0
"""After so long all must be as before."""
NEW = 0.05
"""The share of orders of customers whom no store knows."""
SLOW_MS = 1_000
"""What the median of customers whose features are online stays below in each phase."""


class Faults:
    """What outside does to a PostgreSQL, each for the length of a `with`."""

    def __init__(self, server: Server, engine: Engine) -> None:
        self._server = server
        self._engine = engine

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """As a failover to a replica."""
        self._say("ALTER SYSTEM SET default_transaction_read_only = on")
        self._say("SELECT pg_reload_conf()")
        yield
        self._say("ALTER SYSTEM RESET default_transaction_read_only")
        self._say("SELECT pg_reload_conf()")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """As a migration that waits, or a VACUUM FULL."""
        with self._engine.begin() as connection:
            connection.execute(text("LOCK TABLE feature_entities, feature_increments"))
            yield

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """As a host whose disk hangs."""
        self._server.send(signal.SIGSTOP)
        yield
        self._server.send(signal.SIGCONT)

    @contextmanager
    def without_a_column(self) -> Iterator[None]:
        """As a migration that is half done."""
        self._say("ALTER TABLE feature_increments RENAME COLUMN amount TO amount_minor")
        yield
        self._say("ALTER TABLE feature_increments RENAME COLUMN amount_minor TO amount")

    def _say(self, statement: str) -> None:
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(statement))


class Orders(threading.Thread):
    """Writes orders at a steady rate until it is stopped, and remembers who is new."""

    def __init__(self, bootstrap: str, rate: float) -> None:
        super().__init__()
        self.sent: dict[str, tuple[int, bool]] = {}
        self._kafka = bootstrap
        self._rate = rate
        self._over = threading.Event()

    def run(self) -> None:
        producer = Producer(producer_config(self._kafka, **{"linger.ms": 5, "log_level": 2}))
        rng, start, number = random.Random(RUN), time.monotonic(), 0
        while not self._over.wait(max(0.0, start + number / self._rate - time.monotonic())):
            now, new = system_clock(), rng.random() < NEW
            key, value = order(number, RUN, now, rng)
            if new:
                event = msgspec.json.decode(value)
                event["payload"]["customer_id"] = f"new-{number}"
                key, value = b"new", msgspec.json.encode(event)
            producer.produce(EVENTS, value=value, key=key)
            producer.poll(0)
            self.sent[f"{RUN}-{number}"] = (now, new)
            number += 1
        producer.flush(120)

    def stop(self) -> None:
        """Return once Kafka has them all."""
        self._over.set()
        self.join()


def play(faults: Faults, seconds: float) -> list[tuple[str, int, int]]:
    """Each fault once, and a rest after each; when each began and ended (epoch ms)."""
    phases: list[tuple[str, int, int]] = []
    steps: list[tuple[str, Callable[[], object]]] = [
        ("read-only", faults.read_only),
        ("locked", faults.locked),
        ("frozen", faults.frozen),
        ("without a column", faults.without_a_column),
    ]
    before = system_clock()
    time.sleep(REST_S)
    phases.append(("before", before, system_clock()))
    for name, fault in steps:
        print(f"  {name} for {seconds:g} s", flush=True)
        began = system_clock()
        with fault():  # type: ignore[attr-defined]  # each is a context manager
            time.sleep(seconds)
        ended = system_clock()
        phases.append((name, began, ended))
        time.sleep(REST_S)
        time.sleep(REST_S / 2)
        phases.append((f"10 s after {name}", ended + int(REST_S * 1_000), system_clock()))
    return phases


def report(orders: Orders, phases: list[tuple[str, int, int]], made: list[Prediction]) -> bool:
    """Print the latency of known and of new customers in each phase; True if no known one waited."""
    latency = {each.source_event_id: each.latency_ms for each in made}
    good = True
    for name, began, ended in phases:
        for new in (False, True):
            some = sorted(
                latency[event]
                for event, (at, is_new) in orders.sent.items()
                if began <= at < ended and is_new == new and event in latency
            )
            if len(some) < 2:
                continue
            whose, p99 = "new" if new else "known", quantiles(some, n=100)[-1]
            print(f"  {name:26} {whose:5} {len(some):6,} p50 {median(some):8,.0f} ms p99 {p99:8,.0f} ms")
            good &= new or median(some) < SLOW_MS
    return good


def main() -> int:
    """Run once; 0 if nothing was lost or given up, and no known customer waited."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=300)
    parser.add_argument("--seconds", type=float, default=40)
    args = parser.parse_args()
    with own_postgresql() as server, rig() as made:
        print(f"logs in {made.folder}", flush=True)
        orders, phases, outcomes = _run(made, server, args.rate, args.seconds)
        in_time = report(orders, phases, predictions(made.bootstrap))
    missing = len(orders.sent.keys() - outcomes.ids.keys())
    most = max(outcomes.predictions.values(), default=0)
    print(f"{len(orders.sent):,} orders; missing {missing}; dead letters {dict(outcomes.dead_letters)}")
    print(f"records beyond the first {outcomes.twice}, at most {most} of one event")
    return 0 if in_time and not missing and not outcomes.dead_letters and most <= 2 else 1


def _run(
    made: Rig, server: Server, rate: float, seconds: float
) -> tuple[Orders, list[tuple[str, int, int]], Outcomes]:
    made.extra_env["DATABASE_URL"] = server.url
    with closing(open_offline(server.url)) as store:
        store.create(DEFINITIONS)
    for name, *command in (
        ("dispatcher", "dispatcher"),
        ("reconciler", "reconcile"),
        ("features", "features", "pipeline"),
        ("worker", "worker", FRAUD_QUEUE),
    ):
        made.run(name, *command)
    made.wait_for_assignment(ROUTER_GROUP, 120)
    reader = OutcomeReader(made.bootstrap, [FRAUD_QUEUE])
    orders, engine = Orders(made.bootstrap, rate), create_engine(server.url)
    orders.start()
    try:
        wait_until(lambda: bool(reader.read(0.5).ids), 180, "the first outcome")
        phases = play(Faults(server, engine), seconds)
    finally:
        orders.stop()
        engine.dispose()
    outcomes, took = settle(reader, set(orders.sent), SETTLE_SECONDS)
    print(f"settled after {took:.1f} s", flush=True)
    return orders, phases, outcomes


if __name__ == "__main__":
    sys.exit(main())
