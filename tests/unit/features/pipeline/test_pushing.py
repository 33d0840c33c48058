"""The online store beside the offline one, through everything that may happen to it. Both are real."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import fakeredis
import pytest
from sqlalchemy import select, update

from features.decoding import segments_of
from features.heartbeats import Heartbeat
from features.keys import row_key, shelf_of
from features.offline.batch import StreamBatch, StreamEvent
from features.offline.store import OfflineStore, open_offline
from features.offline.tables import ENTITIES, INCREMENTS
from features.pipeline.counting import count
from features.pipeline.placing import ReplacedLogError
from features.pipeline.pushing import LEAVE_ALONE_S, Pusher
from features.pipeline.reading import read_record
from features.reading import Of, Rows
from features.redis_store import RedisStore
from features.retail import CUSTOMER_ORDERS, DEFINITIONS
from features.segments import SMALLEST_CAP
from features.views import StreamView
from tests.unit.features.pipeline.events import NOON, TOPIC, batch, order, record

DAY_MS = 86_400_000
CUSTOMER = row_key("acme", shelf_of(CUSTOMER_ORDERS), "c-1")


class Bench:
    """Both stores, and what pushes from one to the other."""

    def __init__(self, folder: Path) -> None:
        self.now = 0.0
        self.server = fakeredis.FakeServer()
        self.redis = fakeredis.FakeRedis(server=self.server)
        self.offline: OfflineStore = open_offline(f"sqlite:///{folder}/features.db")
        self.offline.create(DEFINITIONS)
        self.online = RedisStore(
            "redis://fake", connect=lambda url, **_: fakeredis.FakeRedis.from_url(url, server=self.server)
        )
        self.pusher = self.another()

    def another(self) -> Pusher:
        """One that remembers nothing, as after a kill."""
        return Pusher(TOPIC, DEFINITIONS, self.offline, self.online, lambda: None, lambda: self.now)

    def count(self, *batches: StreamBatch, push: bool = True) -> None:
        """Count batches, and push them if that is not what is left out."""
        for each in batches:
            for counted in count(self.offline, each, 0):
                if push:
                    self.pusher.push(counted)

    def beat(self, partition: int, position: int) -> None:
        """The heartbeat of a partition that is read to its end."""
        self.pusher.beat(partition, Heartbeat(position, NOON, NOON))

    def position(self, partition: int = 0) -> int | None:
        """Where the online store says that a partition stands."""
        standing = self.online.heartbeats().partitions.get(partition)
        return None if standing is None else standing.position

    def amounts(self, key: str = CUSTOMER) -> list[int] | None:
        """What the increments of a row sum, each on its own; None if the row is not there."""
        (row,), _ = self.online.read([key])
        if row is None:
            return None
        return sorted(
            amount for segment in segments_of(row) for amount in segment.increments["amount"].tolist()
        )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.pusher.greet(0, 0)
    yield made
    made.offline.close()
    made.online.close()


def orders(base: int, amounts: Sequence[float], partition: int = 0) -> StreamBatch:
    """Orders of one customer, a second apart."""
    values = (
        order(partition * 100 + number, NOON + number * 1_000, amount=amount)
        for number, amount in enumerate(amounts, start=base)
    )
    return batch(base, *values, partition=partition)


def test_what_is_counted_stands_online(bench: Bench) -> None:
    bench.count(orders(0, [1, 2]), orders(2, [3]))
    assert bench.amounts() == [100, 200, 300]
    assert bench.position() == 3


def test_a_duplicate_adds_nothing_online_either(bench: Bench) -> None:
    bench.count(orders(0, [1, 2]), batch(2, order(0, amount=1)))
    assert bench.amounts() == [100, 200]
    assert bench.position() == 3


def test_partitions_add_up(bench: Bench) -> None:
    bench.pusher.greet(1, 0)
    bench.count(orders(0, [1]), orders(0, [2], partition=1), orders(1, [4]))
    assert bench.amounts() == [100, 200, 400]


def killed_before_it_pushed(bench: Bench) -> None:
    bench.count(orders(2, [3]), push=False)
    bench.pusher = bench.another()
    bench.pusher.greet(0, 3)


def down_while_it_counted(bench: Bench) -> None:
    bench.server.connected = False
    bench.count(orders(2, [3]))
    bench.server.connected = True
    bench.now += LEAVE_ALONE_S


def down_and_killed(bench: Bench) -> None:
    down_while_it_counted(bench)
    bench.pusher = bench.another()


def emptied(bench: Bench) -> None:
    bench.redis.flushall()
    bench.count(orders(2, [3]))


def emptied_while_it_was_down(bench: Bench) -> None:
    bench.server.connected = False
    bench.count(orders(2, [3]))
    bench.redis.connection_pool.disconnect()
    bench.server.connected = True
    bench.redis.flushall()
    bench.now += LEAVE_ALONE_S


def set_back_to_a_backup(bench: Bench) -> None:
    kept = {key: bench.redis.dump(key) for key in bench.redis.scan_iter()}
    bench.count(orders(2, [3]))
    for key, value in kept.items():
        bench.redis.restore(key, 0, value or b"", replace=True)


@pytest.mark.parametrize(
    "happens",
    [
        killed_before_it_pushed,
        down_while_it_counted,
        down_and_killed,
        emptied,
        emptied_while_it_was_down,
        set_back_to_a_backup,
    ],
)
def test_what_the_online_store_missed_is_made_good(happens: Callable[[Bench], None], bench: Bench) -> None:
    bench.count(orders(0, [1, 2]))
    happens(bench)
    bench.beat(0, 3)
    bench.count(orders(3, [5]))
    # a row that is not there is complete as well: whoever misses it reads SQL
    assert bench.amounts() in (None, [100, 200, 300, 500])
    assert bench.position() == 4
    bench.count(orders(4, [7]))
    assert bench.amounts() == [100, 200, 300, 500, 700]


def test_a_store_that_fails_is_left_alone_for_a_while(bench: Bench) -> None:
    bench.server.connected = False
    bench.count(orders(0, [1]))
    bench.server.connected = True
    bench.count(orders(1, [2]))
    assert bench.position() == 0
    bench.now += LEAVE_ALONE_S
    bench.count(orders(2, [3]))
    assert bench.amounts() == [100, 200, 300]


def test_a_zombie_adds_nothing_twice(bench: Bench) -> None:
    zombie = bench.pusher
    (late,) = count(bench.offline, orders(0, [1]), 0)
    bench.pusher = bench.another()
    bench.pusher.greet(0, 1)
    bench.count(orders(1, [2]))
    zombie.push(late)
    assert bench.amounts() == [100, 200]
    assert bench.position() == 2


def test_what_stands_online_waits_for_an_offline_store_that_was_set_back(
    bench: Bench, tmp_path: Path
) -> None:
    bench.count(orders(0, [1, 2]))
    bench.offline.close()
    (tmp_path / "older").mkdir()
    bench.offline = open_offline(f"sqlite:///{tmp_path}/older/features.db")
    bench.offline.create(DEFINITIONS)
    bench.pusher = bench.another()
    bench.pusher.greet(0, 0)
    bench.count(orders(0, [1]))
    assert (bench.amounts(), bench.position()) == ([100, 200], 2)
    bench.count(orders(1, [2, 3]))
    assert (bench.amounts(), bench.position()) == ([100, 200, 300], 3)


class Hurried:
    """Reads rows of the offline store; by the time they are read, another partition has moved on."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._other = bench.another()
        self._next = 0

    def rows(self, view: StreamView, keys: Sequence[Of]) -> Rows:
        found = self._bench.offline.rows(view, keys)
        other = order(100 + self._next, customer_id="c-2", terminal_id="t-2")
        for counted in count(self._bench.offline, batch(self._next, other, partition=1), 0):
            self._other.push(counted)
        self._next += 1
        return found

    def touched_since(self, topic: str, partition: int, offset: int) -> Mapping[str, Sequence[Of]]:
        return self._bench.offline.touched_since(topic, partition, offset)


def test_a_partition_is_made_level_however_fast_another_moves_on(bench: Bench) -> None:
    bench.pusher.greet(1, 0)
    bench.count(orders(0, [1, 2]))
    bench.redis.delete(CUSTOMER)
    bench.count(orders(2, [3]), push=False)
    Pusher(TOPIC, DEFINITIONS, Hurried(bench), bench.online, lambda: None, lambda: 0).greet(0, 3)
    assert bench.position() == 3
    # it lacked what came meanwhile, and was not let in; nor is it by anybody who read before
    assert bench.amounts() is None


def test_rows_of_another_log_are_refused_and_the_way_out_named(bench: Bench) -> None:
    bench.count(orders(0, [1, 2, 3]))
    with pytest.raises(ReplacedLogError, match=r"retail.events\[0\] ends at 1, .* up to 3.*REDIS_URL"):
        bench.another().beat(0, Heartbeat(1, NOON, NOON))


def test_a_row_that_grew_too_long_is_put_anew(bench: Bench) -> None:
    # a batch's increments of one tile are appended as one: a segment each takes a batch each
    bench.count(*(batch(number, order(number)) for number in range(SMALLEST_CAP)))
    amounts = bench.amounts()
    assert amounts is not None
    assert len(amounts) == SMALLEST_CAP
    bench.count(batch(SMALLEST_CAP, order(SMALLEST_CAP)))
    assert bench.amounts() == [(SMALLEST_CAP + 1) * 1_250]


def test_an_entity_that_cannot_be_read_is_set_aside_and_holds_up_no_other(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """One of its increments is of a measure that its view does not have."""
    other = row_key("acme", shelf_of(CUSTOMER_ORDERS), "c-2")
    bench.count(orders(0, [1, 2]), batch(2, order(2, amount=3, customer_id="c-2")), push=False)
    with bench.offline.database.writing() as connection:
        mine = select(ENTITIES.c.id).where(
            ENTITIES.c.entity_id == "c-1", ENTITIES.c.view == "customer_orders"
        )
        connection.execute(update(INCREMENTS).where(INCREMENTS.c.entity.in_(mine)).values(measure=7))
    bench.beat(0, 3)
    assert (bench.amounts(), bench.amounts(other)) == (None, [300])
    assert bench.position() == 3
    assert "customer_orders of 'c-1', tenant 'acme'" in caplog.text
    bench.count(batch(3, order(3, amount=4, customer_id="c-2")))
    assert bench.amounts(other) == [300, 400]


def test_orders_of_the_largest_sums_hold_up_nobody(bench: Bench) -> None:
    """Ten valid orders of 9,999 items at nearly 1e12 each, which are older than every window."""
    items = [{"sku": "sku-1", "quantity": 10**9, "unit_price": 1e12}] * 9_999
    then = NOON - 60 * DAY_MS
    old = [
        read_record(record(number, order(number, then, amount=1e12, items=items), then), DEFINITIONS)
        for number in range(10)
    ]
    events = [each for each in old if isinstance(each, StreamEvent)]
    assert len(events) == 10
    other = row_key("acme", shelf_of(CUSTOMER_ORDERS), "c-2")
    bench.count(StreamBatch(TOPIC, 0, 0, 10, NOON, NOON, events), push=False)
    bench.count(batch(10, order(10, NOON, amount=1e12, items=items)), push=False)
    bench.count(batch(11, order(11, NOON, amount=2, customer_id="c-2")))
    bench.beat(0, 12)
    assert bench.amounts(other) == [200]
    assert bench.position() == 12
    whose = ("acme", "sku-1")
    for name, expected in (("sku_prices", 109_989 * 10**14), ("sku_demand", 109_989 * 10**9)):
        view = DEFINITIONS.view(name)
        assert isinstance(view, StreamView)
        (row,), _ = bench.online.read([row_key("acme", shelf_of(view), "sku-1")])
        for segments in (segments_of(row or b""), bench.offline.rows(view, [whose]).segments[whose]):
            amounts = [amount for each in segments for amount in each.increments["amount"].tolist()]
            assert sum(amounts) == expected
