"""Each event is counted exactly once, by concurrent writers and through failures."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import MetaData

from events.errors import ConfigError, Unavailable
from features.offline import writing
from features.offline.batch import BACKFILL, BACKFILL_TOPIC, Fenced, StreamBatch, StreamEvent
from features.offline.store import OfflineStore, open_offline
from features.reading import Heartbeat
from features.retail import DEFINITIONS
from features.schema import Definitions, Entity, Measure
from features.views import Aggregate, StreamView
from tests.integration.features.made import (
    CUSTOMERS,
    NOW,
    TENANT,
    TERMINALS,
    TOPIC,
    batch,
    confirmed,
    ids,
    order,
)
from transport.database import UnstorableError, open_database
from transport.sql_limits import Limits

CUSTOMER = (TENANT, "c-1")


def counted(store: OfflineStore, view: StreamView = CUSTOMERS, whose: tuple[str, str] = CUSTOMER) -> int:
    """How many orders stand in the store for somebody."""
    segments = store.rows(view, [whose]).segments.get(whose, ())
    return sum(int(segment.increments["n"].sum()) for segment in segments)


def test_a_batch_is_counted_and_its_partition_moves(store: OfflineStore) -> None:
    committed = store.commit(batch(order(4, amount=12.34), order(7), base=3, position=9))

    assert ids(committed.fresh) == ["order.placed-4", "order.placed-7"]
    assert store.positions(TOPIC) == {0: 9}
    rows = store.rows(CUSTOMERS, [CUSTOMER, (TENANT, "nobody")])
    (segment,) = rows.segments[CUSTOMER]
    assert (segment.partition, segment.position) == (0, 9)
    assert segment.increments["amount"].sum() == 1_234 + 1_000
    assert set(rows.segments) == {CUSTOMER}
    assert rows.heartbeats == {0: Heartbeat(9, NOW, NOW)}


@pytest.mark.parametrize(
    ("late", "fenced"),
    [
        pytest.param(batch(order(9), base=5), False, id="it goes on where the partition stands"),
        pytest.param(batch(order(9), base=3), True, id="it begins before: somebody has counted on"),
        pytest.param(batch(order(9), base=6), True, id="it begins after: something would be left out"),
        pytest.param(batch(base=4, position=8), True, id="it is empty, and moves all the same"),
        pytest.param(batch(order(9), base=5, topic="other"), True, id="the partition is of another topic"),
    ],
)
def test_a_batch_must_begin_where_its_partition_stands(
    store: OfflineStore, late: StreamBatch, fenced: bool
) -> None:
    store.commit(batch(order(0), base=0, position=5))

    if fenced:
        with pytest.raises(Fenced, match="another member counts it"):
            store.commit(late)
    else:
        store.commit(late)

    assert store.positions(TOPIC) == {0: 5 if fenced else 10}
    assert counted(store) == (1 if fenced else 2)


def test_what_comes_again_is_told_by_its_id(store: OfflineStore) -> None:
    store.commit(batch(order(0, name="a"), order(1, name="b")))

    again = store.commit(batch(order(2, name="b"), order(3, name="c"), order(4, name="c"), base=2))
    elsewhere = store.commit(batch(order(0, name="a"), order(1, name="d"), partition=1))

    assert (ids(again.fresh), ids(elsewhere.fresh)) == (["c"], ["d"])
    assert counted(store) == 4
    assert store.positions(TOPIC) == {0: 5, 1: 2}


def test_a_batch_that_fails_halfway_leaves_nothing(
    store: OfflineStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OverflowError("too large for the database")

    with monkeypatch.context() as patched:
        patched.setattr(writing, "count", fails)
        with pytest.raises(UnstorableError):
            store.commit(batch(order(0)))
    assert store.positions(TOPIC) == {}

    assert ids(store.commit(batch(order(0))).fresh) == ["order.placed-0"]


@pytest.mark.parametrize(
    "poison",
    [
        pytest.param(order(1, name="a\0b"), id="a NUL in its id"),
        pytest.param(order(1, customer="c\0"), id="a NUL in whom it is about"),
        pytest.param(order(1, customer="c" * 300), id="an entity with a name as long as a page"),
        pytest.param(order(1, customer="\ud800"), id="half a letter"),
    ],
)
def test_what_a_database_can_never_hold_is_told_from_one_that_is_away(
    store: OfflineStore, poison: StreamEvent
) -> None:
    try:
        store.commit(batch(order(0), poison))
    except UnstorableError:
        assert store.positions(TOPIC) == {}
    else:
        assert store.positions(TOPIC) == {0: 2}, "SQLite is not so particular"


def test_partitions_stand_side_by_side_in_a_row(store: OfflineStore) -> None:
    store.commit(batch(order(0), base=0, position=10))
    store.commit(batch(order(0, name="x"), order(1), partition=3))
    store.append_history([order(0, name="y")])

    segments = store.rows(CUSTOMERS, [CUSTOMER]).segments[CUSTOMER]
    assert [(each.partition, each.position, int(each.increments["n"].sum())) for each in segments] == [
        (BACKFILL, 1, 1),
        (0, 10, 1),
        (3, 2, 2),
    ]


def test_backfill_and_stream_never_count_one_event_twice(store: OfflineStore) -> None:
    store.commit(batch(order(0, name="a")))

    first = store.append_history([order(0, name="a"), order(1, name="b"), confirmed(2)])
    second = store.append_history([order(0, name="b"), order(1, name="c")])
    streamed = store.commit(batch(order(1, name="c"), order(2, name="d"), base=1))

    assert [ids(each.fresh) for each in (first, second, streamed)] == [
        ["b", "order.fraud_confirmed-2"],
        ["c"],
        ["d"],
    ]
    assert counted(store) == 4
    assert store.positions(BACKFILL_TOPIC) == {BACKFILL: 5}
    assert store.positions(TOPIC) == {0: 3}


def test_who_was_touched_since_an_offset(store: OfflineStore) -> None:
    store.commit(batch(order(0, customer="c-1"), order(1, customer="c-2", terminal="t-2")))
    store.commit(batch(order(0, customer="c-3", name="x"), partition=1))

    touched = store.touched_since(TOPIC, 0, 1)
    assert {view: set(whose) for view, whose in touched.items()} == {
        "customer_orders": {(TENANT, "c-2")},
        "terminal_orders": {(TENANT, "t-2")},
    }
    assert store.touched_since(TOPIC, 0, 2) == {}
    assert store.touched_since("other", 0, 0) == {}


def at_once(*actions: Callable[[], None]) -> None:
    """Run them in threads of their own; the first error of one is raised."""
    with ThreadPoolExecutor(len(actions)) as pool:
        for running in [pool.submit(action) for action in actions]:
            running.result()


def test_two_members_that_get_the_same_events_count_each_once(store: OfflineStore, offline_url: str) -> None:
    names = [f"n-{number}" for number in range(200)]
    fresh: list[str] = []

    def member(partition: int, order_of_names: list[str]) -> Callable[[], None]:
        def count() -> None:
            mine = open_offline(offline_url)
            for base in range(0, len(names), 20):
                events = [
                    order(base + place, customer=f"c-{name}", name=name)
                    for place, name in enumerate(order_of_names[base : base + 20])
                ]
                fresh.extend(ids(mine.commit(batch(*events, base=base, partition=partition)).fresh))
            mine.close()

        return count

    at_once(member(0, names), member(1, names[::-1]))

    assert sorted(fresh) == sorted(names)
    assert store.positions(TOPIC) == {0: 200, 1: 200}
    assert counted(store, TERMINALS, (TENANT, "t-1")) == 200


def test_a_row_and_its_position_are_of_one_moment(store: OfflineStore, offline_url: str) -> None:
    batches = 60
    seen: list[tuple[int, int]] = []
    done = threading.Event()

    def write() -> None:
        mine = open_offline(offline_url)
        try:
            for base in range(batches):
                mine.commit(batch(order(base), base=base))
        finally:
            done.set()
            mine.close()

    def read() -> None:
        while not done.is_set():
            rows = store.rows(CUSTOMERS, [CUSTOMER])
            if 0 in rows.heartbeats:
                (segment,) = rows.segments[CUSTOMER]
                seen.append((rows.heartbeats[0].position, int(segment.increments["n"].sum())))

    at_once(write, read)

    assert seen
    assert all(position == orders for position, orders in seen)


def test_members_that_begin_together_make_the_tables_once(offline_url: str) -> None:
    stores = [open_offline(offline_url) for _ in range(4)]
    at_once(*(lambda store=store: store.create(DEFINITIONS) for store in stores))
    assert stores[0].positions(TOPIC) == {}
    for store in stores:
        store.close()


def test_increments_that_were_made_otherwise_are_not_read(store: OfflineStore) -> None:
    changed = StreamView(
        name="customer_orders",
        entity="customer",
        measures=(Measure("orders", "order.placed", of="amount", decimals=3),),
        features=(Aggregate("customer_orders_ever", "count", "orders"),),
        ttl_days=30,
        freshness_s=60,
        owner="fraud",
        description="its amounts in other units",
    )
    definitions = Definitions.of([Entity("customer", "customer_id", "who buys")], [changed])
    with pytest.raises(ConfigError, match="customer_orders: its measures or its resolution differ"):
        store.declare(definitions)
    store.declare(DEFINITIONS)


def test_a_database_that_was_made_anew_gives_entities_new_numbers(store: OfflineStore) -> None:
    store.commit(batch(order(0, customer="c-2"), order(1, customer="c-1")))
    made = MetaData()
    made.reflect(store.database.engine)
    made.drop_all(store.database.engine)
    store.create(DEFINITIONS)

    store.commit(batch(order(0, customer="c-1")))
    store.commit(batch(order(1, customer="c-2"), base=1))
    assert [counted(store, whose=(TENANT, name)) for name in ("c-1", "c-2")] == [1, 1]


def test_a_database_that_a_backup_was_put_back_into_gives_entities_its_own_numbers(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'features.db'}"
    store = open_offline(url)
    store.create(DEFINITIONS)
    store.commit(batch(order(0, customer="c-0")))
    store.close()
    backup = (tmp_path / "features.db").read_bytes()
    store.commit(batch(order(1, customer="c-1"), base=1))
    store.close()
    (tmp_path / "features.db").write_bytes(backup)

    other = open_offline(url)
    other.commit(batch(order(0, customer="c-2", name="n"), partition=1))
    other.close()
    with pytest.raises(Fenced):
        store.commit(batch(order(2, customer="c-0"), base=2))
    store.commit(batch(order(1, customer="c-1"), base=1))

    assert [counted(store, whose=(TENANT, name)) for name in ("c-1", "c-2")] == [1, 1]
    store.close()


def test_a_database_without_tables_is_waited_for(offline_url: str) -> None:
    empty = open_offline(offline_url)
    with pytest.raises(Unavailable, match="feature_offsets"):
        empty.positions(TOPIC)
    empty.close()


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("sqlite:////nowhere/at/all.db", id="a folder that is not there"),
        pytest.param("postgresql+psycopg://127.0.0.1:1/none", id="a server that does not answer"),
    ],
)
def test_a_database_that_cannot_be_reached_is_unavailable(url: str) -> None:
    with pytest.raises(Unavailable, match="offline feature store is unavailable"):
        open_offline(url).positions(TOPIC)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("features.db", id="no URL"),
        pytest.param("nosuch://host/db", id="a database that nobody knows"),
    ],
)
def test_an_address_that_is_none_is_said(url: str) -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL"):
        open_offline(url)


def test_a_lock_that_is_held_for_too_long_is_unavailable(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'features.db'}"
    holder = open_offline(url)
    holder.create(DEFINITIONS)
    waiting = OfflineStore(open_database(url, limits=Limits(5, 0.05)))
    with holder.database.writing():
        with pytest.raises(Unavailable, match="locked"):
            waiting.commit(batch(order(0)))
        assert waiting.positions(TOPIC) == {}, "who reads does not wait"
    waiting.commit(batch(order(0)))
    for store in (holder, waiting):
        store.close()
