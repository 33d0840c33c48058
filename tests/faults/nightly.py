"""Kill run of a night over a thousand SKUs: it ends complete, with no SKU twice.

python -m tests.faults.nightly --kills 2
python -m tests.faults.nightly --kills 2 --trained
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from confluent_kafka import Consumer, TopicPartition

from events.decision import Millis
from events.envelope import Envelope
from events.nightly import COMPLETED, REQUESTED, TRIGGER
from events.topics import EVENTS, PREDICTIONS
from features.backfilling import count_history
from features.offline.forecasts import Forecasts
from features.offline.nights import Nights
from features.offline.store import open_offline
from features.pipeline.reading import Record
from features.retail import DEFINITIONS
from tasks.night_parts import connected_watch
from tasks.night_watch import NightWatch
from tests.faults.processes import wait_until
from tests.faults.rig import Rig, rig
from transport.kafka import consumer_config

TENANT = "retailpulse"
NIGHT = date(2026, 3, 2)
DAYS = 182
QUEUE = "ml.forecast.batch"
LINES_IN_ORDER = 500
SETTLE_S = 600
LOOK_S = 0.5


class _Stamp(msgspec.Struct):
    event_type: str
    entity_id: str
    output: msgspec.Raw


def sales(skus: int) -> Iterator[Record]:
    """Every SKU on most of the days before the night, a few hundred lines an order."""
    rng, number = random.Random(5), 0
    for before in range(DAYS, 0, -1):
        day = NIGHT - timedelta(days=before)
        at = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp() * 1_000)
        sold = [(sku, rng.randrange(0, 9) + 3 * (day.weekday() == 5)) for sku in range(skus)]
        lines = [
            {"sku": f"sku-{sku}", "quantity": pieces, "unit_price": 2.5} for sku, pieces in sold if pieces
        ]
        for first in range(0, len(lines), LINES_IN_ORDER):
            number += 1
            yield Record(number, at, order(number, at, lines[first : first + LINES_IN_ORDER]), None)


def order(number: int, at: Millis, items: list[dict[str, object]]) -> bytes:
    """An order as its producer writes it."""
    return msgspec.json.encode(
        Envelope(
            event_id=f"past-{number}",
            event_type="order.placed",
            source="faults",
            version="1.0.0",
            occurred_at=at,
            tenant_id=TENANT,
            payload={
                "order_id": f"o-{number}",
                "customer_id": "c-1",
                "terminal_id": "t-1",
                "amount": 1.0,
                "currency": "GBP",
                "items": items,
            },
        )
    )


class Progress:
    """What stands in SQL of the night, read as anybody would."""

    def __init__(self, url: str) -> None:
        self._store = open_offline(url)
        self.forecasts = Forecasts(self._store.database)
        self.nights = Nights(self._store.database)
        self._store.create(DEFINITIONS)
        self.forecasts.create()

    def fill(self, skus: int) -> None:
        """Sales of so many SKUs."""
        count_history(sales(skus), DEFINITIONS, self._store)

    def done(self) -> int:
        """How many SKUs have their forecast."""
        return sum(made.skus for made in self.forecasts.made(TENANT, NIGHT.isoformat()))

    def told(self) -> bool:
        """Whether the report went out."""
        night = self.nights.find(TENANT, NIGHT.isoformat())
        return night is not None and night.state == "told"


def kill_at(made: Rig, progress: Progress, share: float, skus: int) -> None:
    """SIGKILL the whole pool of the night, once so many of its SKUs are done."""
    wait_until(lambda: progress.done() >= share * skus, 600, f"{share:.0%} of the SKUs")
    worker = made.parts["worker-batch"]
    worker.kill()
    print(f"  killed at {progress.done():,} of {skus:,} SKUs", flush=True)
    worker.start()


def read(bootstrap: str, topic: str) -> Iterator[bytes]:
    """All that a topic holds."""
    consumer = Consumer(consumer_config(bootstrap, "fault-run"))
    partitions = consumer.list_topics(topic, 10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    while messages := consumer.consume(5_000, 3):
        yield from (message.value() or b"" for message in messages if message.error() is None)
    consumer.close()


def account(made: Rig, progress: Progress, skus: int) -> bool:
    """Print what came out; True if each SKU was asked for, has one forecast and one answer."""
    night = progress.nights.find(TENANT, NIGHT.isoformat())
    print(f"report {night.report if night else None}")
    stamps = [msgspec.json.decode(value, type=_Stamp) for value in read(made.bootstrap, PREDICTIONS)]
    told: dict[str, set[bytes]] = {}
    for stamp in stamps:
        if stamp.event_type == REQUESTED:
            told.setdefault(stamp.entity_id, set()).add(bytes(stamp.output))
    written = sum(stamp.event_type == REQUESTED for stamp in stamps)
    events = [msgspec.json.decode(value, type=Envelope) for value in read(made.bootstrap, EVENTS)]
    said = Counter(event.event_type for event in events)
    requested = len({event.event_id for event in events if event.event_type == REQUESTED})
    several = [sku for sku, known in told.items() if len(known) > 1]
    done, planned = progress.done(), progress.nights.planned(TENANT, NIGHT.isoformat())
    print(
        f"planned {planned:,}, requested {requested:,}, in SQL {done:,}, with a prediction {len(told):,}, "
        f"with two that differ {len(several)}"
    )
    print(f"predictions written a second time {written - len(told):,}; events {dict(said)}")
    letters = sum(1 for _ in read(made.bootstrap, f"{QUEUE}.dlq"))
    print("\n".join((made.folder / "balance.log").read_text().splitlines()[-2:]))
    whole = planned == requested == done == len(told) == skus and not several and not letters
    # nobody triggered it again: what was lost came back by itself
    return whole and said[TRIGGER] == said[COMPLETED] == 1


def begin(made: Rig, skus: int, *, trained: bool) -> Progress:
    """Sales, a forecaster that was trained on them (else the seasonal naive), and all that works."""
    progress = Progress(made.env["DATABASE_URL"])
    progress.fill(skus)
    made.extra_env["SIGNALBOX_MODEL_DIR"] = str(made.folder / "models")
    if trained:
        weeks = ("--skus", "20", "--blend-weeks", "2", "--test-weeks", "1")
        until = ("--until", NIGHT.isoformat(), "--model-dir", str(made.folder / "models"))
        made.complete("train", "train", "forecast", *until, *weeks)
    made.run("dispatcher", "dispatcher")
    made.run("reconciler", "reconcile")
    made.run("worker-batch", "worker", QUEUE)
    wait_for(made.folder / "worker-batch.log", " is loaded")
    return progress


def run(made: Rig, skus: int, kills: int, *, trained: bool) -> bool:
    """One night, from its trigger to its report."""
    progress = begin(made, skus, trained=trained)
    made.complete("trigger", "forecast", "run", "--date", NIGHT.isoformat(), "--no-wait")
    began = time.monotonic()
    for number in range(kills):
        kill_at(made, progress, (number + 1) / (kills + 1), skus)
    with connected_watch(made.bootstrap, made.env["DATABASE_URL"], ZoneInfo("UTC")) as watch:
        wait_until(lambda: looked(watch, progress), SETTLE_S, "the report")
    took = time.monotonic() - began
    print(f"{skus:,} SKUs in {took:.1f} s, {1_000 * took / skus:.1f} ms a SKU with two processes", flush=True)
    # what a killed worker had stored and not told comes when Redis hands out again what it held
    wait_until(lambda: made.complete("balance", "balance", check=False) == 0, SETTLE_S, "every outcome")
    print(f"every event has its outcome {time.monotonic() - began - took:.1f} s later")
    return account(made, progress, skus)


def looked(watch: NightWatch, progress: Progress) -> bool:
    """Whether the report went out, after a look such as a worker takes each minute. It triggers nothing."""
    watch.look()
    time.sleep(LOOK_S)
    return progress.told()


def wait_for(log: Path, text: str) -> None:
    """Return once a part has printed this."""
    wait_until(lambda: log.exists() and text in log.read_text(errors="replace"), 120, f"{log}: {text}")


def main() -> int:
    """Run once; 0 if the night is complete and no SKU stands twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skus", type=int, default=1_000)
    parser.add_argument("--kills", type=int, default=1, help="of the whole pool at once")
    parser.add_argument("--trained", action="store_true", help="by the trained forecaster")
    parser.add_argument("--broker", choices=("redis", "rabbitmq"), default="redis")
    args = parser.parse_args()
    with rig(broker=args.broker, one_redis=True, seeded=False) as made:
        print(f"broker {args.broker}, logs in {made.folder}", flush=True)
        return 0 if run(made, args.skus, args.kills, trained=args.trained) else 1


if __name__ == "__main__":
    sys.exit(main())
