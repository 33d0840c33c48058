"""Redis is emptied again and again while events are counted and models ask: no answer fails or is wrong."""

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from features.contract import Contract
from features.heartbeats import Heartbeat
from features.keys import EntityKey
from features.offline.batch import StreamBatch, StreamEvent
from features.offline.store import OfflineStore, open_offline
from features.pipeline.counting import Counted
from features.pipeline.pushing import Pusher
from features.position import parse_standing
from features.reading import Asked, FeatureVector
from features.redis_store import RedisStore
from features.retail import DEFINITIONS
from features.tiered import TieredReader
from tests.integration.features.made import NOW, TENANT, TOPIC, batch, order

CUSTOMERS = [f"c-{number}" for number in range(30)]
BATCHES, BATCH, READS, EMPTYINGS = 120, 20, 150, 12
CONTRACT = Contract.of(
    DEFINITIONS, ["order_count", "lifetime_value", "customer_count_7d", "terminal_count_1d"]
)
ASKED_AT = NOW + 3_600_000
Read = tuple[str, FeatureVector]


def history() -> list[list[StreamEvent]]:
    """Orders of partition 0, in batches."""
    rng = random.Random(4)
    return [
        [
            order(
                offset,
                at=NOW + 1_000 * rng.randrange(3_000),
                customer=rng.choice(CUSTOMERS),
                amount=rng.randrange(1, 9_999) / 100,
            )
            for offset in range(first, first + BATCH)
        ]
        for first in range(0, BATCHES * BATCH, BATCH)
    ]


def expected(events: Sequence[Sequence[StreamEvent]], customer: str, position: int) -> tuple[float, ...]:
    """Counted plainly: how many orders, what they came to, and how many within seven days."""
    orders = [
        increment
        for some in events
        for event in some
        if event.offset < position
        for increment in event.increments
        if increment.view == "customer_orders" and increment.entity_id == customer
    ]
    return len(orders), sum(each.amount for each in orders) / 100, len(orders)


def ask(customers: Sequence[str]) -> list[Asked]:
    """Each of them orders an hour after all that is counted."""
    return [
        Asked(
            {
                "customer": EntityKey(TENANT, "customer", customer),
                "terminal": EntityKey(TENANT, "terminal", "t-1"),
            },
            ASKED_AT,
            NOW,
        )
        for customer in customers
    ]


class Pipeline:
    """Counts batch after batch, as `features.pipeline.member` does."""

    def __init__(self, offline: OfflineStore, online: RedisStore) -> None:
        self._offline = offline
        self._pusher = Pusher(TOPIC, DEFINITIONS, offline, online, lambda: None)

    def run(self, batches: Sequence[Sequence[StreamEvent]], between: Callable[[], object]) -> None:
        """All of them; `between` is called after each."""
        self._pusher.greet(0, 0)
        for events in batches:
            made: StreamBatch = batch(*events, base=events[0].offset)
            self._pusher.push(Counted(made, tuple(self._offline.commit(made).fresh)))
            between()

    def beat(self) -> None:
        """It is idle, and says so."""
        self._pusher.beat(0, Heartbeat(BATCHES * BATCH, NOW, NOW))


@pytest.fixture
def connect(offline_url: str, store: OfflineStore, features_url: str) -> Iterator[Callable[[], TieredReader]]:
    """Makes readers with connections of their own."""
    opened: list[OfflineStore | RedisStore] = []

    def reader() -> TieredReader:
        offline, online = open_offline(offline_url), RedisStore(features_url, timeout_s=10)
        opened.extend((offline, online))
        return TieredReader(DEFINITIONS, online, offline)

    yield reader
    for each in opened:
        each.close()


def read_on(reader: TieredReader, seed: int, go: threading.Event) -> list[Read]:
    """Ask for customers at random, many times."""
    rng, found = random.Random(seed), list[Read]()
    go.wait()
    for _ in range(READS):
        customers = rng.sample(CUSTOMERS, 5)
        found += zip(customers, reader.read(CONTRACT, ask(customers)), strict=True)
    return found


def test_no_answer_fails_and_none_is_wrong(
    store: OfflineStore, features_url: str, connect: Callable[[], TieredReader]
) -> None:
    batches, go = history(), threading.Event()
    online = RedisStore(features_url, timeout_s=10)
    pipeline = Pipeline(store, online)
    counted = 0

    def between() -> None:
        nonlocal counted
        counted += 1
        if counted % (BATCHES // EMPTYINGS) == 0:
            with Redis.from_url(features_url) as client:
                client.flushdb()

    with ThreadPoolExecutor(2) as pool:
        reads = [pool.submit(read_on, connect(), seed, go) for seed in range(2)]
        go.set()
        pipeline.run(batches, between)
        answers = [answer for read in reads for answer in read.result()]

    assert len(answers) == 2 * READS * 5
    assert {vector.origin for _, vector in answers} == {"online", "offline"}
    for customer, vector in answers:
        position = parse_standing(vector.position).of("customer_orders").get(0, 0)
        assert tuple(vector.values)[:3] == pytest.approx(expected(batches, customer, position))

    pipeline.beat()
    final = connect()
    for origin in ("offline", "online"):
        vectors = final.read(CONTRACT, ask(CUSTOMERS))
        assert [tuple(vector.values)[:3] for vector in vectors] == [
            pytest.approx(expected(batches, customer, BATCHES * BATCH)) for customer in CUSTOMERS
        ]
        assert origin == "offline" or {vector.origin for vector in vectors} == {"online"}
    online.close()
