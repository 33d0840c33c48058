"""What workers need: a past for everybody that the benchmarks' orders name, and a model."""

import random
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from benchmarks.orders import order
from events.decision import Millis
from features.backfilling import count_history, put_history
from features.heartbeats import Heartbeat
from features.offline.store import open_offline
from features.pipeline.reading import Record
from features.redis_store import RedisStore
from features.retail import DEFINITIONS
from tests.trained import train_small
from transport.clock import system_clock

ORDERS = 60_000
DAY_MS = 86_400_000
DAYS = 30
PARTITIONS = 4
FRESH_FOR_MS = DAY_MS


def seed(database_url: str, redis_url: str) -> None:
    """Fill an empty SQLite file and an empty Redis: some twelve orders a customer, six a terminal.

    No stream is to be waited for: the online tier says of each partition that all is counted, a day ahead.
    """
    shutil.copy(_template(), database_url.removeprefix("sqlite:///"))
    offline, online = open_offline(database_url), RedisStore(redis_url, timeout_s=10)
    put_history(DEFINITIONS, offline, online, lambda _done, _of: None)
    now = system_clock()
    for partition in range(PARTITIONS):
        online.append(partition, 0, Heartbeat(0, now + FRESH_FOR_MS, now), ())
    online.close()
    offline.close()


@cache
def model_dir() -> Path:
    """Holds a model of usual size that was trained on a small shop, once for all services of a run."""
    path = Path(tempfile.mkdtemp(prefix="signalbox-seed-models-"))
    train_small(path)
    return path


@cache
def _template() -> Path:
    """Made once for all services that a run starts."""
    path = Path(tempfile.mkdtemp(prefix="signalbox-seed-")) / "signalbox.db"
    store = open_offline(f"sqlite:///{path}")
    store.create(DEFINITIONS)
    count_history(_past(system_clock()), DEFINITIONS, store)
    store.close()
    return path


def _past(until: Millis) -> Iterator[Record]:
    rng = random.Random(7)
    for number in range(ORDERS):
        _, value = order(number, "past", until - rng.randrange(DAYS * DAY_MS), rng)
        yield Record(number, until, value, None)
