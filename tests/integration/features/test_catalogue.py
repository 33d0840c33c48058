"""The catalogue's way: out of the stream's orders into SQL as of their time, from there online, and shown."""

from collections.abc import Iterator

import pytest
from fakeredis import FakeStrictRedis

from features.batch_reading import decode_values
from features.keys import row_key, shelf_of
from features.materializing import Materializer
from features.offline.batch import Fenced, StreamEvent
from features.offline.store import OfflineStore
from features.pipeline.counting import count
from features.redis_store import RedisStore
from features.retail import DEFINITIONS, PRODUCT_CATALOGUE
from tests.integration.features.made import DAY_MS, NOW, TENANT, batch, event
from transport.database import open_database


@pytest.fixture
def store(offline_url: str) -> Iterator[OfflineStore]:
    store = OfflineStore(open_database(offline_url))
    store.create(DEFINITIONS)
    yield store
    store.close()


def sold(offset: int, category: str, *, at: int = NOW, sku: str = "mug", name: str = "") -> StreamEvent:
    item = {"sku": sku, "quantity": 1, "unit_price": 2.5, "category": category}
    payload = {"customer_id": "c-1", "terminal_id": "t-1", "amount": 2.5, "items": [item]}
    return event("order.placed", payload, offset=offset, at=at, name=name)


def rows(store: OfflineStore, sku: str = "mug") -> list[tuple[int, str]]:
    """Since when the product has which category."""
    found = store.batch.versions(PRODUCT_CATALOGUE, [(TENANT, sku)])
    return [(each.event_time, str(each.values[0])) for each in found]


def test_what_orders_state_is_put_online_by_the_hourly_run(store: OfflineStore) -> None:
    store.commit(batch(sold(0, "home", at=NOW - DAY_MS), sold(1, "toys", sku="ball"), position=2))
    store.commit(batch(sold(2, "gifts"), base=2))
    redis = RedisStore("redis://nowhere", connect=lambda *_, **__: FakeStrictRedis())
    assert Materializer(store.batch, redis).run(PRODUCT_CATALOGUE) == 3

    shelf = shelf_of(PRODUCT_CATALOGUE)
    found, _ = redis.read([row_key(TENANT, shelf, sku) for sku in ("mug", "ball")])
    online = [decode_values(row) for row in found]
    assert [each and each.values["product_category"] for each in online] == ["gifts", "toys"]
    assert rows(store) == [(NOW - DAY_MS, "home"), (NOW, "gifts")], "what was known yesterday still stands"


def test_an_event_that_comes_twice_states_nothing_twice(store: OfflineStore) -> None:
    store.commit(batch(sold(0, "home", at=NOW - DAY_MS, name="evt"), sold(1, "gifts", name="next")))
    store.commit(batch(sold(0, "home", at=NOW - DAY_MS, name="evt"), partition=1))
    assert rows(store) == [(NOW - DAY_MS, "home"), (NOW, "gifts")]


def test_history_that_is_filled_in_later_holds_at_its_own_time(store: OfflineStore) -> None:
    store.commit(batch(sold(0, "gifts")))
    store.append_history([sold(0, "home", at=NOW - DAY_MS, name="old"), sold(1, "gifts", name="same")])
    assert rows(store) == [(NOW - DAY_MS, "home"), (NOW, "gifts")]


def test_what_is_not_committed_states_nothing(store: OfflineStore) -> None:
    store.commit(batch(sold(0, "home")))
    with pytest.raises(Fenced):
        store.commit(batch(sold(0, "gifts", at=NOW + 1, name="other")))
    assert rows(store) == [(NOW, "home")]


def test_a_sku_whose_counting_is_refused_is_skipped_with_its_category(store: OfflineStore) -> None:
    unstorable = sold(1, "toys", sku="ba\ud800ll")
    parts = list(count(store, batch(sold(0, "home"), unstorable), NOW))
    assert [skipped.cause for part in parts for skipped in part.skipped] == ["unstorable"]
    assert rows(store) == [(NOW, "home")]
