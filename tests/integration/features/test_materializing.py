"""A written batch view gets online, and nothing older replaces it."""

from collections.abc import Iterable

import pytest
from fakeredis import FakeStrictRedis

from events.decision import Millis
from events.errors import Unavailable
from features.batch_reading import decode_values
from features.contract import Contract
from features.keys import EntityKey, row_key, shelf_of
from features.materializing import AT_ONCE, OVERLAP_MS, Materializer, put_view
from features.offline.store import OfflineStore
from features.pipeline.putting import Putter
from features.reading import Asked
from features.redis_store import Heartbeat, RedisStore
from features.retail import DEFINITIONS, PRODUCT_CATALOGUE
from features.tiered import TieredReader
from tests.integration.features.made import CUSTOMERS, NOW, TENANT, batch, order
from transport.database import open_database

VIEW = PRODUCT_CATALOGUE
HOUR = 3_600_000


class Time:
    """The time, as the test sets it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> Millis:
        return self.now


class Shelf:
    """An online store that counts what it is given, and goes away when it is told to."""

    def __init__(self) -> None:
        self.redis = RedisStore("redis://nowhere", connect=lambda *_, **__: FakeStrictRedis())
        self.put: list[int] = []
        self.gone_after: int | None = None

    def put_values(
        self, view: str, rows: Iterable[tuple[str, bytes, int]], as_of: Millis | None = None
    ) -> None:
        rows = list(rows)
        if self.gone_after is not None and rows and len(self.put) >= self.gone_after:
            raise Unavailable("feature store")
        if rows:
            self.put.append(len(rows))
        self.redis.put_values(view, rows, as_of)

    def category(self, sku: str) -> object:
        """What stands online of a product."""
        (row,), _ = self.redis.read([row_key(TENANT, shelf_of(VIEW), sku)])
        found = decode_values(row)
        return found and found.values["product_category"]


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def store(offline_url: str, time: Time) -> Iterable[OfflineStore]:
    store = OfflineStore(open_database(offline_url), time)
    store.create(DEFINITIONS)
    yield store
    store.close()


@pytest.fixture
def materializer(store: OfflineStore, shelf: Shelf, time: Time) -> Materializer:
    return Materializer(store.batch, shelf, time)


def write(store: OfflineStore, categories: dict[str, str], since: Millis = NOW - HOUR) -> None:
    """Somebody fills the table."""
    rows = [((TENANT, sku), since, {"product_category": category}) for sku, category in categories.items()]
    store.batch.add(VIEW, rows)


def test_the_next_run_takes_what_was_written_since(
    store: OfflineStore, shelf: Shelf, time: Time, materializer: Materializer
) -> None:
    write(store, {"a": "toys", "b": "books"})
    assert (materializer.pending(VIEW), materializer.run(VIEW)) == (2, 2)

    time.now += HOUR
    assert materializer.run(VIEW) == 2, "what was written shortly before a run might not have been seen by it"
    time.now += HOUR
    write(store, {"b": "music", "c": "tools"}, since=NOW)
    assert (materializer.pending(VIEW), materializer.run(VIEW)) == (2, 2)

    assert [shelf.category(sku) for sku in "abcd"] == ["toys", "music", "tools", None]
    assert shelf.redis.heartbeats().views == {VIEW.name: time.now}


def test_an_older_value_that_is_written_later_changes_nothing(
    store: OfflineStore, shelf: Shelf, time: Time, materializer: Materializer
) -> None:
    write(store, {"a": "toys"}, since=NOW)
    materializer.run(VIEW)
    time.now += HOUR
    write(store, {"a": "books"}, since=NOW - HOUR)
    materializer.run(VIEW)
    assert shelf.category("a") == "toys"


def test_what_a_slow_transaction_wrote_before_the_watermark_is_found(
    store: OfflineStore, shelf: Shelf, time: Time, materializer: Materializer
) -> None:
    write(store, {"a": "toys"})
    materializer.run(VIEW)
    time.now -= OVERLAP_MS
    write(store, {"b": "books"})
    time.now += HOUR
    materializer.run(VIEW)
    assert shelf.category("b") == "books"


def test_a_run_that_was_stopped_is_gone_on_with(
    store: OfflineStore, shelf: Shelf, materializer: Materializer
) -> None:
    write(store, {f"sku-{number:05}": "toys" for number in range(2 * AT_ONCE + 500)})
    shelf.gone_after = 1
    with pytest.raises(Unavailable):
        materializer.run(VIEW)
    assert shelf.redis.heartbeats().views == {}

    shelf.gone_after = None
    told: list[int] = []
    assert materializer.pending(VIEW) == AT_ONCE + 500
    assert materializer.run(VIEW, progress=told.append) == AT_ONCE + 500
    assert told == [AT_ONCE, 500]
    assert shelf.put == [AT_ONCE, AT_ONCE, 500]


def test_an_emptied_redis_is_filled_by_a_run_from_the_beginning(
    store: OfflineStore, shelf: Shelf, time: Time, materializer: Materializer
) -> None:
    write(store, {"a": "toys"})
    materializer.run(VIEW)
    shelf.redis = Shelf().redis
    time.now += HOUR
    materializer.run(VIEW)
    time.now += HOUR
    assert materializer.run(VIEW, anew=True) == 1
    assert shelf.category("a") == "toys"
    assert materializer.pending(VIEW) == 0


def test_when_a_table_was_looked_at_is_known_to_who_reads_it_from_sql(
    store: OfflineStore, time: Time, materializer: Materializer
) -> None:
    key = (TENANT, "a")
    write(store, {"a": "toys"})
    assert store.batch_rows(VIEW, [key]).as_of is None
    materializer.run(VIEW)
    time.now += HOUR
    rows = store.batch_rows(VIEW, [key, (TENANT, "b")])
    assert (rows.as_of, set(rows.values)) == (NOW, {key})
    assert rows.values[key].values == {"product_category": "toys"}


def test_whole_rows_of_a_stream_view_get_online(store: OfflineStore, shelf: Shelf) -> None:
    orders = [order(number, customer=f"c-{number}", amount=number) for number in range(1_200)]
    store.commit(batch(*orders, position=2_000))
    shelf.redis.append(0, 0, Heartbeat(2_000, NOW, NOW), ())

    told: list[int] = []
    putter = Putter({CUSTOMERS.name: CUSTOMERS}, store, shelf.redis)
    assert put_view(store, putter, CUSTOMERS, told.append) == 0
    assert sum(told) == 1_200

    reader = TieredReader(DEFINITIONS, shelf.redis, store)
    asked = Asked({"customer": EntityKey(TENANT, "customer", "c-1199")}, NOW + HOUR, NOW)
    (vector,) = reader.read(Contract.of(DEFINITIONS, ["lifetime_value"]), [asked])
    assert (vector.values, vector.origin, vector.missing) == ((1199.0,), "online", ())
