"""One behaviour, two back ends: what an online store promises, over fakeredis and over a real Redis."""

import socket
from collections.abc import Callable, Iterator

import fakeredis
import pytest

from events.errors import Unavailable
from features.online import ROWS_PER_WRITE, EntityKey, FeatureRow, RedisOnlineStore


@pytest.fixture(params=["fakeredis", pytest.param("redis", marks=pytest.mark.integration)])
def store(request: pytest.FixtureRequest) -> Iterator[RedisOnlineStore]:
    if request.param == "redis":
        made = RedisOnlineStore(request.getfixturevalue("redis_url"))
    else:
        made = RedisOnlineStore("redis://fake", connect=fakeredis.FakeRedis.from_url)
    yield made
    made.close()


@pytest.fixture
def tenant(unique: Callable[[str], str]) -> str:
    return unique("acme")


def test_rows_come_back_in_the_order_of_their_keys(store: RedisOnlineStore, tenant: str) -> None:
    keys = [EntityKey(tenant, "customer", str(number)) for number in range(5)]
    rows = [FeatureRow(number, {"count": float(number)}) for number in range(5)]
    store.write(zip(keys, rows, strict=True))
    assert store.fetch(keys[::-1]) == rows[::-1]


def test_a_key_without_a_row_gives_none_in_its_place(store: RedisOnlineStore, tenant: str) -> None:
    known, unknown = EntityKey(tenant, "customer", "1"), EntityKey(tenant, "terminal", "1")
    row = FeatureRow(1, {"count": 3.0})
    store.write([(known, row)])
    assert store.fetch([unknown, known, unknown]) == [None, row, None]


def test_nothing_asked_is_nothing_answered(store: RedisOnlineStore) -> None:
    assert store.fetch([]) == []


def test_a_later_row_takes_the_place_of_an_older_one(store: RedisOnlineStore, tenant: str) -> None:
    key = EntityKey(tenant, "customer", "1")
    store.write([(key, FeatureRow(1, {"count": 1.0, "gone": 1.0}))])
    store.write([(key, FeatureRow(2, {"count": 2.0}))])
    assert store.fetch([key]) == [FeatureRow(2, {"count": 2.0})]


def test_a_value_comes_back_with_all_its_digits(store: RedisOnlineStore, tenant: str) -> None:
    key, row = EntityKey(tenant, "customer", "é\n:1"), FeatureRow(0, {"mean": 1 / 3, "tiny": 5e-324})
    store.write([(key, row)])
    assert store.fetch([key]) == [row]


def test_more_rows_than_one_round_trip_takes_are_all_written(store: RedisOnlineStore, tenant: str) -> None:
    keys = [EntityKey(tenant, "terminal", str(number)) for number in range(2 * ROWS_PER_WRITE + 1)]
    store.write((key, FeatureRow(0, {"count": float(key.entity_id)})) for key in keys)
    fetched = store.fetch(keys)
    assert [row.values["count"] for row in fetched if row] == list(map(float, range(len(keys))))


class TestWhereRedisFails:
    def test_a_store_that_is_down_is_named(self) -> None:
        down = fakeredis.FakeServer()
        down.connected = False
        store = RedisOnlineStore(
            "redis://fake", connect=lambda url, **_: fakeredis.FakeRedis.from_url(url, server=down)
        )
        key = EntityKey("acme", "customer", "1")
        with pytest.raises(Unavailable, match="feature store is unavailable"):
            store.fetch([key])
        with pytest.raises(Unavailable, match="feature store is unavailable"):
            store.write([(key, FeatureRow(0, {}))])

    def test_a_store_that_hangs_is_given_up_after_its_timeout(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            store = RedisOnlineStore(f"redis://127.0.0.1:{port}", timeout_s=0.05)
            with pytest.raises(Unavailable, match="feature store"):
                store.fetch([EntityKey("acme", "customer", "1")])
            store.close()

    def test_a_port_where_nobody_listens_is_no_surprise(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        store = RedisOnlineStore(f"redis://127.0.0.1:{port}")
        with pytest.raises(Unavailable) as failure:
            store.fetch([EntityKey("acme", "customer", "1")])
        assert failure.value.dependency == "feature store"
