"""What a model gets for its events: from Redis, from SQL where that lacks it, and what is said of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import fakeredis
import msgspec
import pytest

from events.errors import ConfigError, Unavailable
from features.batch_reading import encode_values
from features.contract import Contract, Need
from features.heartbeats import Heartbeat
from features.increments import Segment, encode_row, packed
from features.keys import EntityKey, row_key, shelf_of
from features.reading import Asked, BatchRows, FeatureVector, Of, Rows, Span, Value, Values, Within
from features.redis_store import RedisStore
from features.schema import BatchView, Definitions, Entity, Field, Measure, StreamView
from features.tiered import TieredReader
from tests.unit.features.shelf import DAY, NOW, TENANT, VIEW, beat, begin, delta, key

PRODUCTS = BatchView(
    name="products",
    entity="sku",
    table="products",
    fields=(Field("category", "text", "unknown", "of the shop"), Field("price", "number", 0.0, "in euros")),
    ttl_days=7,
    freshness_s=3_600,
    owner="tests",
    description="what is sold",
)
DEFINITIONS = Definitions.of(
    [Entity("customer", "customer_id", "who buys"), Entity("sku", "sku", "what is sold")], [VIEW, PRODUCTS]
)
COUNT, MEAN, LAST = VIEW.names
CONTRACT = Contract.of(DEFINITIONS, VIEW.names)
PRODUCT = Contract.of(DEFINITIONS, PRODUCTS.names)
ARRIVED = 1_763_740_000_000
"""When Kafka took the asking event in, and the pipeline had counted everything (epoch ms)."""


class Sql:
    """An offline tier in memory, which counts its queries. `orders`: by customer, partition and offset."""

    def __init__(self, orders: Mapping[str, Mapping[int, Sequence[int]]], position: int = 10) -> None:
        self.orders = orders
        self.beats = {0: Heartbeat(position, ARRIVED, 0)}
        self.products: dict[Of, Values] = {}
        self.products_as_of: int | None = None
        self.asked: list[tuple[str, list[str], bool]] = []
        self.down = False

    def rows(self, view: StreamView, keys: Sequence[Of]) -> Rows:
        self._query(view.name, keys, True)
        return self._found(keys)

    def rows_within(self, view: StreamView, spans: Sequence[Span]) -> Within:
        self._query(view.name, [span.of for span in spans], False)
        found = self._found([span.of for span in spans])
        return Within([found.segments.get(span.of, ()) for span in spans], found.heartbeats)

    def _found(self, keys: Sequence[Of]) -> Rows:
        return Rows(
            {
                (tenant, entity): tuple(
                    Segment(partition, self.beats[partition].position, packed((at, 0, 1, 1) for at in tiles))
                    for partition, tiles in self.orders[entity].items()
                )
                for tenant, entity in keys
                if entity in self.orders
            },
            self.beats,
        )

    def batch_rows(self, view: BatchView, keys: Sequence[Of]) -> BatchRows:
        self._query(view.name, keys, True)
        return BatchRows(
            {key: self.products[key] for key in keys if key in self.products}, self.products_as_of
        )

    def _query(self, view: str, keys: Iterable[Of], folded: bool) -> None:
        if self.down:
            raise Unavailable("offline feature store")
        self.asked.append((view, [entity for _, entity in keys], folded))


@pytest.fixture
def redis() -> fakeredis.FakeRedis:
    return fakeredis.FakeRedis(server=fakeredis.FakeServer())


@pytest.fixture
def online(redis: fakeredis.FakeRedis) -> RedisStore:
    return RedisStore("redis://given", connect=lambda *_, **__: redis)


@pytest.fixture
def sql() -> Sql:
    return Sql({"a": {0: [NOW - 100, NOW - 50]}})


@pytest.fixture
def reader(online: RedisStore, sql: Sql) -> TieredReader:
    return TieredReader(DEFINITIONS, online, sql)


def asked(entity_id: str, at: int = NOW, entered_at: int = ARRIVED, entity: str = "customer") -> Asked:
    """A customer's order at a tile."""
    return Asked({entity: EntityKey(TENANT, entity, entity_id)}, at * 1_000, entered_at)


def counted(online: RedisStore, position: int = 10, as_of: int = ARRIVED) -> None:
    """Partition 0 is counted that far, as of then."""
    online.append(0, position, Heartbeat(position, as_of, 0), [])


def one(reader: TieredReader, contract: Contract, event: Asked) -> FeatureVector:
    """What a single event gets."""
    (vector,) = reader.read(contract, [event])
    return vector


class TestFromBothTiers:
    def test_a_miss_is_answered_by_sql_and_put_back(
        self, online: RedisStore, sql: Sql, reader: TieredReader
    ) -> None:
        counted(online)
        expected = FeatureVector((2.0, 1.0, 50.0), (), (), (NOW - 50) * 1_000, "offline", "0@10")
        assert one(reader, CONTRACT, asked("a")) == expected
        assert one(reader, CONTRACT, asked("a")) == msgspec.structs.replace(expected, origin="online")
        assert sql.asked == [("orders", ["a"], True)]

    def test_an_emptied_redis_is_filled_again(
        self, online: RedisStore, redis: fakeredis.FakeRedis, sql: Sql, reader: TieredReader
    ) -> None:
        counted(online)
        one(reader, CONTRACT, asked("a"))
        redis.flushall()
        origins = [one(reader, CONTRACT, asked("a")).origin for _ in range(2)]
        counted(online)
        origins += [one(reader, CONTRACT, asked("a")).origin for _ in range(2)]
        # the first two: nobody can tell what a row lacks, before the pipeline says how far it is
        assert origins == ["offline", "offline", "offline", "online"]

    def test_what_the_pipeline_adds_meanwhile_counts(
        self, online: RedisStore, sql: Sql, reader: TieredReader
    ) -> None:
        counted(online)
        one(reader, CONTRACT, asked("a"))
        online.append(0, 10, beat(11), [delta("a", NOW - 1)])
        vector = one(reader, CONTRACT, asked("a"))
        assert (vector.values, vector.position) == ((3.0, 1.0, 1.0), "0@11")

    def test_of_each_view_what_lacks_is_asked_for_once_for_the_whole_batch(
        self, online: RedisStore, sql: Sql, reader: TieredReader
    ) -> None:
        counted(online)
        both = Contract.of(DEFINITIONS, [COUNT, "price"])
        one(reader, both, asked("a"))
        sql.asked.clear()
        events = [asked(who) for who in ("b", "a", "c", "b")] + [asked("s-1", entity="sku")] * 2
        vectors = reader.read(both, events)
        assert sql.asked == [("orders", ["b", "c"], True), ("products", ["s-1"], True)]
        assert [vector.origin for vector in vectors] == [
            "offline", "online", "offline", "offline", "offline", "offline",
        ]  # fmt: skip

    def test_somebody_unknown_is_not_asked_for_again_and_an_append_makes_him_known(
        self, online: RedisStore, sql: Sql, reader: TieredReader
    ) -> None:
        counted(online)
        assert [one(reader, CONTRACT, asked("new")).missing for _ in range(2)] == [VIEW.names] * 2
        assert len(sql.asked) == 1
        online.append(0, 10, beat(11), [delta("new", NOW - 1)])
        assert one(reader, CONTRACT, asked("new")).values == (1.0, 1.0, 1.0)

    def test_bytes_that_are_no_row_are_replaced(
        self, online: RedisStore, redis: fakeredis.FakeRedis, reader: TieredReader
    ) -> None:
        counted(online)
        redis.set(key("a"), b"\x01 of another program")
        assert [one(reader, CONTRACT, asked("a")).origin for _ in range(2)] == ["offline", "online"]

    def test_a_time_before_what_is_folded_is_answered_by_sql(
        self, online: RedisStore, redis: fakeredis.FakeRedis, sql: Sql, reader: TieredReader
    ) -> None:
        counted(online)
        folded = Segment(0, 10, packed([(NOW - 3 * DAY, 0x80, 5, 5), (NOW - 50, 0, 1, 1)]))
        sql.orders = {"a": {0: [NOW - 5 * DAY, NOW - 3 * DAY, NOW - 50]}}
        online.put([(key("a"), _encoded(folded), 60)], {0: 10})
        events = [asked("a"), asked("a", NOW - 3 * DAY)]
        vectors = reader.read(CONTRACT, events)
        assert [(vector.origin, tuple(vector.values)[2]) for vector in vectors] == [
            ("online", 50.0),
            ("offline", 2.0 * DAY),
        ]
        assert sql.asked == [("orders", ["a"], False)]

    def test_nothing_asked_is_nothing_answered(self, reader: TieredReader) -> None:
        assert list(reader.read(CONTRACT, [])) == []

    def test_nothing_of_the_asking_second_counts(
        self, online: RedisStore, sql: Sql, reader: TieredReader
    ) -> None:
        counted(online)
        sql.orders = {"a": {0: [NOW, NOW + 5]}}
        vector = one(reader, CONTRACT, asked("a"))
        assert (vector.values, vector.missing, vector.data_time) == ((0.0, 0.0, -1.0), VIEW.names, None)


class TestWhereOneTierFails:
    def test_without_redis_it_is_unavailable(self, sql: Sql) -> None:
        server = fakeredis.FakeServer()
        server.connected = False
        online = RedisStore("redis://x", connect=lambda *_, **__: fakeredis.FakeRedis(server=server))
        with pytest.raises(Unavailable, match=r"^feature store"):
            TieredReader(DEFINITIONS, online, sql).read(CONTRACT, [asked("a")])

    def test_without_sql_it_is_unavailable_only_where_that_is_needed(
        self, online: RedisStore, sql: Sql, reader: TieredReader
    ) -> None:
        counted(online)
        one(reader, CONTRACT, asked("a"))
        sql.down = True
        assert one(reader, CONTRACT, asked("a")).origin == "online"
        with pytest.raises(Unavailable, match=r"^offline feature store"):
            reader.read(CONTRACT, [asked("a"), asked("b"), asked("c")])

    def test_without_sql_who_lacks_among_many_is_missing_and_stale_and_the_others_do_not_wait(
        self, online: RedisStore, sql: Sql, reader: TieredReader, redis: fakeredis.FakeRedis
    ) -> None:
        counted(online)
        known = one(reader, CONTRACT, asked("a"))
        sql.down = True
        before = set(redis.keys())
        there, new = reader.read(CONTRACT, [asked("a"), asked("b")])
        assert (there.values, there.missing, there.stale) == (known.values, (), ())
        assert (new.values, new.missing, new.stale) == ((0.0, 0.0, -1.0), VIEW.names, VIEW.names)
        assert new.origin == "online"
        assert set(redis.keys()) == before

    def test_without_sql_what_was_folded_up_is_waited_for(
        self, online: RedisStore, sql: Sql, reader: TieredReader
    ) -> None:
        counted(online)
        folded = Segment(0, 10, packed([(NOW - 3 * DAY, 0x80, 5, 5), (NOW - 50, 0, 1, 1)]))
        online.put([(key("a"), _encoded(folded), 60)], {0: 10})
        sql.down = True
        with pytest.raises(Unavailable, match=r"^offline feature store"):
            one(reader, CONTRACT, asked("a", at=NOW - 2 * DAY))

    def test_a_redis_that_goes_away_before_rows_are_put_back_costs_no_answer(
        self, online: RedisStore, sql: Sql, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def gone(*_: object) -> None:
            raise Unavailable("feature store")

        monkeypatch.setattr(online, "put", gone)
        monkeypatch.setattr(online, "put_values", gone)
        reader = TieredReader(DEFINITIONS, online, sql)
        assert one(reader, Contract.of(DEFINITIONS, [COUNT, "price"]), asked("a")).values == (2.0, 0.0)

    def test_definitions_without_a_feature_of_the_contract_are_named(
        self, online: RedisStore, sql: Sql
    ) -> None:
        fewer = Definitions.of([Entity("sku", "sku", "what is sold")], [PRODUCTS])
        with pytest.raises(ConfigError, match=f"{COUNT}: no such feature"):
            TieredReader(fewer, online, sql).read(CONTRACT, [asked("a")])


class TestMissingAndStale:
    @pytest.mark.parametrize(
        ("orders", "missing", "values"),
        [
            pytest.param([NOW - 50], (), (1.0, 1.0, 50.0), id="something came before"),
            pytest.param([NOW - 2 * DAY], (), (0.0, 0.0, 2.0 * DAY), id="nothing in the window is a value"),
            pytest.param([NOW - 31 * DAY], VIEW.names, (0.0, 0.0, -1.0), id="it is older than it may be"),
            pytest.param([NOW + 1], VIEW.names, (0.0, 0.0, -1.0), id="all of it came later"),
        ],
    )
    def test_what_is_missing_stands_at_its_default_and_is_named(
        self,
        online: RedisStore,
        sql: Sql,
        reader: TieredReader,
        orders: list[int],
        missing: tuple[str, ...],
        values: tuple[float, ...],
    ) -> None:
        counted(online)
        sql.orders = {"a": {0: orders}}
        for _ in range(2):
            vector = one(reader, CONTRACT, asked("a"))
            assert (vector.missing, vector.values) == (missing, values)

    def test_an_event_that_names_nobody_has_nothing(self, online: RedisStore, reader: TieredReader) -> None:
        counted(online)
        vectors = reader.read(CONTRACT, [Asked({}, NOW * 1_000, ARRIVED), asked("a")])
        assert [vector.missing for vector in vectors] == [VIEW.names, ()]

    @pytest.mark.parametrize(
        ("as_of", "stale"),
        [
            pytest.param(ARRIVED, False, id="all is counted"),
            pytest.param(ARRIVED - 60_000, False, id="as late as it may be"),
            pytest.param(ARRIVED - 60_001, True, id="later than it may be"),
            pytest.param(ARRIVED + 5_000_000, False, id="the worker is late, not the pipeline"),
        ],
    )
    def test_stale_is_how_far_the_pipeline_lay_behind_the_event(
        self, online: RedisStore, sql: Sql, reader: TieredReader, as_of: int, stale: bool
    ) -> None:
        sql.beats = {0: Heartbeat(10, as_of, 0)}
        counted(online, as_of=as_of)
        for origin in ("offline", "online"):
            vector = one(reader, CONTRACT, asked("a"))
            assert (vector.stale, vector.origin) == (VIEW.names if stale else (), origin)

    def test_the_partition_that_is_latest_decides(self, online: RedisStore, reader: TieredReader) -> None:
        counted(online)
        one(reader, CONTRACT, asked("a"))
        online.append(1, 0, Heartbeat(5, ARRIVED - 90_000, 0), [])
        assert one(reader, CONTRACT, asked("a")).stale == VIEW.names

    def test_of_an_idle_hour_only_redis_is_told(
        self, online: RedisStore, sql: Sql, reader: TieredReader
    ) -> None:
        sql.beats = {0: Heartbeat(10, ARRIVED - 3_600_000, 0)}
        counted(online)
        vector = one(reader, CONTRACT, asked("a"))
        assert (vector.origin, vector.stale) == ("offline", ())

    def test_without_any_heartbeat_nothing_is_passed_off_as_fresh(
        self, sql: Sql, reader: TieredReader
    ) -> None:
        sql.beats = {}
        sql.orders = {}
        vector = one(reader, CONTRACT, asked("a"))
        assert (vector.stale, vector.position) == (VIEW.names, "")

    def test_what_was_backfilled_has_no_age(self, online: RedisStore, sql: Sql, reader: TieredReader) -> None:
        sql.beats = {0: Heartbeat(10, ARRIVED, 0), -1: Heartbeat(3, 5, 0)}
        sql.orders = {"a": {-1: [NOW - 50]}}
        counted(online)
        for _ in range(2):
            vector = one(reader, CONTRACT, asked("a"))
            assert (vector.stale, vector.position, next(iter(vector.values))) == ((), "-1@3 0@10", 1.0)


class TestReactions:
    @pytest.mark.parametrize(
        ("needs", "reaction"),
        [
            pytest.param([Need(COUNT)], None, id="the default stands in"),
            pytest.param([Need(COUNT, "fallback"), Need(MEAN)], "fallback", id="the fallback answers"),
            pytest.param([Need(COUNT, "fallback"), Need(MEAN, "refuse")], "refuse", id="the graver one"),
            pytest.param([Need(COUNT, "refuse"), Need(MEAN, "fallback")], "refuse", id="in any order"),
            pytest.param([Need(COUNT, on_stale="refuse")], None, id="missing is not stale"),
        ],
    )
    def test_to_what_is_missing(
        self, online: RedisStore, reader: TieredReader, needs: list[Need], reaction: str | None
    ) -> None:
        counted(online)
        contract = Contract.of(DEFINITIONS, needs)
        vectors = reader.read(contract, [asked("nobody"), asked("a")])
        assert [vector.reaction for vector in vectors] == [reaction, None]
        assert [vector.missing for vector in vectors] == [contract.stored, ()]

    @pytest.mark.parametrize(
        ("needs", "values", "reaction"),
        [
            pytest.param([Need(COUNT)], (2.0,), None, id="it is served"),
            pytest.param(
                [Need(LAST, on_stale="default"), Need(COUNT)], (-1.0, 2.0), None, id="its default stands in"
            ),
            pytest.param([Need(COUNT, on_stale="fallback")], (2.0,), "fallback", id="the fallback answers"),
            pytest.param([Need(COUNT, on_stale="refuse")], (2.0,), "refuse", id="it is refused"),
            pytest.param([Need(COUNT, on_missing="refuse")], (2.0,), None, id="stale is not missing"),
        ],
    )
    def test_to_what_is_stale(
        self,
        online: RedisStore,
        reader: TieredReader,
        needs: list[Need],
        values: tuple[float, ...],
        reaction: str | None,
    ) -> None:
        counted(online)
        contract = Contract.of(DEFINITIONS, needs)
        events = [asked("a", entered_at=ARRIVED + 60_001), asked("a")]
        late, timely = reader.read(contract, events)
        assert (late.values, late.reaction, late.stale) == (values, reaction, contract.stored)
        assert (timely.reaction, timely.stale) == (None, ())


class TestBatchViews:
    def test_texts_and_numbers_come_back_and_are_put_back(
        self, online: RedisStore, sql: Sql, reader: TieredReader
    ) -> None:
        sql.products = {(TENANT, "s-1"): Values(NOW * 1_000 - 5, {"category": "toys", "price": 2.5})}
        sql.products_as_of = ARRIVED
        expected = FeatureVector(("toys", 2.5), (), (), NOW * 1_000 - 5, "offline", "")
        assert one(reader, PRODUCT, asked("s-1", entity="sku")) == expected
        assert one(reader, PRODUCT, asked("s-1", entity="sku")) == msgspec.structs.replace(
            expected, origin="online"
        )
        assert len(sql.asked) == 1

    @pytest.mark.parametrize(
        ("row", "values", "missing"),
        [
            pytest.param(None, ("unknown", 0.0), PRODUCTS.names, id="no row"),
            pytest.param({"price": 2.5}, ("unknown", 2.5), ("category",), id="a row without a field"),
            pytest.param({"category": 7.0, "price": "x"}, ("unknown", 0.0), PRODUCTS.names, id="other types"),
        ],
    )
    def test_what_is_missing_is_named(
        self,
        sql: Sql,
        reader: TieredReader,
        row: dict[str, Value] | None,
        values: tuple[Value, ...],
        missing: tuple[str, ...],
    ) -> None:
        if row is not None:
            sql.products = {(TENANT, "s-1"): Values(NOW * 1_000, row)}
        for _ in range(2):
            vector = one(reader, PRODUCT, asked("s-1", entity="sku"))
            assert (vector.values, vector.missing) == (values, missing)
        assert len(sql.asked) == 1

    def test_a_row_that_is_older_than_it_may_be_counts_as_missing(
        self, online: RedisStore, reader: TieredReader
    ) -> None:
        row = encode_values(Values((NOW - 8 * DAY) * 1_000, {"category": "toys", "price": 2.5}))
        online.put_values("products", [(row_key(TENANT, shelf_of(PRODUCTS), "s-1"), row, 60)], ARRIVED)
        assert one(reader, PRODUCT, asked("s-1", entity="sku")).missing == PRODUCTS.names

    @pytest.mark.parametrize(
        ("as_of", "stale"),
        [
            pytest.param(ARRIVED - 3_600_000, (), id="an hour ago"),
            pytest.param(ARRIVED - 3_600_001, PRODUCTS.names, id="longer ago than it may be"),
            pytest.param(None, PRODUCTS.names, id="never"),
        ],
    )
    def test_stale_is_how_long_ago_the_table_was_looked_at(
        self, sql: Sql, reader: TieredReader, as_of: int | None, stale: tuple[str, ...]
    ) -> None:
        sql.products_as_of = as_of
        sql.products = {(TENANT, "s-1"): Values(NOW * 1_000, {"category": "toys", "price": 2.5})}
        for _ in range(2):
            assert one(reader, PRODUCT, asked("s-1", entity="sku")).stale == stale

    def test_a_stale_text_gives_way_to_its_default(self, sql: Sql, reader: TieredReader) -> None:
        sql.products = {(TENANT, "s-1"): Values(NOW * 1_000, {"category": "toys", "price": 2.5})}
        contract = Contract.of(DEFINITIONS, [Need("category", on_stale="default"), "price"])
        assert one(reader, contract, asked("s-1", entity="sku")).values == ("unknown", 2.5)


def test_views_that_stand_apart_say_so_each(online: RedisStore, sql: Sql) -> None:
    other = replace(VIEW, name="visits", features=(replace(VIEW.features[0], name="v"),))
    definitions = Definitions.of([Entity("customer", "customer_id", "who buys")], [VIEW, other])
    reader = TieredReader(definitions, online, sql)
    begin(online, [10])
    contract = Contract.of(definitions, [COUNT, "v"])
    one(reader, contract, asked("a"))
    sql.beats = {0: Heartbeat(12, ARRIVED, 0)}
    online._redis.delete(row_key(TENANT, shelf_of(other), "a"))
    for _ in range(2):
        assert one(reader, contract, asked("a")).position == "orders 0@10; visits 0@12"
    online.append(0, 10, beat(12), [])
    assert one(reader, contract, asked("a")).position == "0@12"


@pytest.mark.parametrize(
    "view",
    [
        pytest.param(replace(VIEW, resolution_s=60), id="its tiles are longer"),
        pytest.param(
            replace(VIEW, measures=(Measure("orders", "order.placed", of="amount", decimals=2),)),
            id="its amounts are in cents",
        ),
    ],
)
def test_what_a_view_of_another_layout_left_online_is_not_read_as_this_ones(
    online: RedisStore, sql: Sql, reader: TieredReader, view: StreamView
) -> None:
    begin(online, [10])
    one(reader, CONTRACT, asked("a"))
    definitions = Definitions.of([Entity("customer", "customer_id", "who buys")], [view])
    sql.asked.clear()
    changed = TieredReader(definitions, online, sql)
    vector = one(changed, Contract.of(definitions, VIEW.names), asked("a"))
    assert (vector.origin, sql.asked) == ("offline", [("orders", ["a"], True)])
    assert one(reader, CONTRACT, asked("a")).origin == "online"


def test_a_row_of_a_table_whose_fields_changed_is_not_read_as_before(
    online: RedisStore, sql: Sql, reader: TieredReader
) -> None:
    sql.products = {(TENANT, "s-1"): Values(NOW * 1_000, {"category": "toys", "price": 2.5})}
    one(reader, PRODUCT, asked("s-1", entity="sku"))
    fields = (replace(PRODUCTS.fields[0], name="kind"), PRODUCTS.fields[1])
    definitions = Definitions.of([Entity("sku", "sku", "what is sold")], [replace(PRODUCTS, fields=fields)])
    sql.products = {(TENANT, "s-1"): Values(NOW * 1_000, {"kind": "toys", "price": 2.5})}
    changed = TieredReader(definitions, online, sql)
    vector = one(changed, Contract.of(definitions, ["kind", "price"]), asked("s-1", entity="sku"))
    assert (vector.values, vector.missing) == (("toys", 2.5), ())


def _encoded(segment: Segment) -> bytes:
    return encode_row([segment], VIEW)
