"""Each night begins once and each SKU is forecast once, by concurrent workers, on each database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from features.offline.forecasts import Day, Forecasts, StoredForecast
from features.offline.nights import Nights
from features.offline.store import OfflineStore
from transport.database import Database, open_database

TENANT, NIGHT = "acme", "2026-03-02"
AT_ONCE = 6


@pytest.fixture
def databases(store: OfflineStore, offline_url: str) -> Iterator[list[Database]]:
    """One for each of those who work at the same time, as in processes of their own."""
    Forecasts(store.database).create()
    made = [open_database(offline_url) for _ in range(AT_ONCE)]
    yield made
    for database in made:
        database.close()


def forecast(sku: str, mean: float, night: str = NIGHT) -> StoredForecast:
    days = (Day(night, mean, mean - 1, mean + 1), Day("2026-03-03", mean, 0, mean + 2))
    return StoredForecast(sku, night, "naive", f"model-{mean:g}", "d" * 64, days)


def test_quantiles_come_back_as_they_were_stored_and_none_as_none(store: OfflineStore) -> None:
    forecasts = Forecasts(store.database)
    forecasts.create()
    whole = Day(NIGHT, 3, 1, 5, (2.5, 4.0, 5.0, 6.0), (2.5, 4.5, 5.5, 6.5))
    forecasts.add(TENANT, NIGHT, [forecast("old", 3), forecast("new", 3)._replace(days=(whole,))])
    found = forecasts.of_night(TENANT, NIGHT, ["old", "new"])
    assert found["new"].days == (whole,)
    assert found["old"].days == forecast("old", 3).days
    assert (found["new"].days[0].median, found["old"].days[0].median) == (2.5, 3)


def plan(nights: Nights, *skus: str, whole: bool = True) -> None:
    nights.plan(TENANT, NIGHT, skus, whole=whole, began_at=1_000, sla_ms=3_600_000, now=2_000)


def test_of_many_that_claim_a_night_at_once_one_gets_it(databases: list[Database]) -> None:
    barrier = Barrier(AT_ONCE)

    def claim(database: Database) -> bool:
        barrier.wait()
        return Nights(database).claim(TENANT, NIGHT, 1_000)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert sorted(pool.map(claim, databases)) == [False] * (AT_ONCE - 1) + [True]


def test_of_many_that_forecast_a_sku_at_once_one_is_kept_whole(databases: list[Database]) -> None:
    barrier = Barrier(AT_ONCE)
    skus = [f"sku-{number}" for number in range(40)]

    def add(number: int) -> int:
        barrier.wait()
        order = skus if number % 2 else skus[::-1]
        return Forecasts(databases[number]).add(TENANT, NIGHT, [forecast(sku, number) for sku in order])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert sum(pool.map(add, range(AT_ONCE))) == len(skus)
    found = Forecasts(databases[0]).of_night(TENANT, NIGHT, skus)
    assert found.keys() == set(skus)
    for stored in found.values():
        assert {f"model-{day.mean:g}" for day in stored.days} == {stored.model_id}


def test_a_sku_is_read_night_by_night_the_newest_first(store: OfflineStore) -> None:
    forecasts = Forecasts(store.database)
    forecasts.create()
    for night in ("2026-02-28", "2026-03-01", NIGHT):
        forecasts.add(TENANT, night, [forecast("a", 3, night), forecast("b", 4, night)])
    found = forecasts.of_sku(TENANT, "a", 2)
    assert [(stored.sku, stored.night) for stored in found] == [("a", NIGHT), ("a", "2026-03-01")]
    assert found[0].days == forecast("a", 3).days
    assert forecasts.of_sku("another", "a", 2) == []


def test_what_a_night_made_counts_the_skus_that_it_is_of(store: OfflineStore) -> None:
    forecasts, nights = Forecasts(store.database, lambda: 5_000), Nights(store.database)
    forecasts.create()
    plan(nights, "a", "b", "c")
    forecasts.add(TENANT, NIGHT, [forecast("a", 3), forecast("c", 3), forecast("asked for", 4)])
    assert [(made.model_id, made.skus, made.last) for made in forecasts.made(TENANT, NIGHT)] == [
        ("model-3", 2, 5_000)
    ]
    assert nights.unanswered(TENANT, NIGHT) == ["b"]


def test_what_a_night_said_of_a_day_is_read_by_sku(store: OfflineStore) -> None:
    forecasts = Forecasts(store.database)
    forecasts.create()
    forecasts.add(TENANT, NIGHT, [forecast("a", 3), forecast("b", 4)])
    assert forecasts.of_day(TENANT, NIGHT, "2026-03-03") == {
        "a": Day("2026-03-03", 3, 0, 5),
        "b": Day("2026-03-03", 4, 0, 6),
    }


def test_a_plan_grows_and_never_shrinks(store: OfflineStore) -> None:
    Forecasts(store.database).create()
    nights = Nights(store.database)
    plan(nights, "a")
    plan(nights, "a", "b")
    plan(nights)
    assert (nights.planned(TENANT, NIGHT), nights.unanswered(TENANT, NIGHT)) == (2, ["a", "b"])
    found = nights.find(TENANT, NIGHT)
    assert found is not None
    assert (found.state, found.began_at) == ("planned", 1_000)


def test_a_night_of_named_skus_is_claimed_once_for_its_catalogue(databases: list[Database]) -> None:
    nights = Nights(databases[0])
    plan(nights, "a", whole=False)
    nights.ended(TENANT, NIGHT, "{}", 3_000)
    barrier = Barrier(AT_ONCE)

    def claim(database: Database) -> bool:
        barrier.wait()
        return Nights(database).claim(TENANT, NIGHT, 4_000)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert sorted(pool.map(claim, databases)) == [False] * (AT_ONCE - 1) + [True]
    plan(nights, "a", "b")
    assert not nights.claim(TENANT, NIGHT, 5_000_000)


def test_an_end_is_reached_once(store: OfflineStore) -> None:
    Forecasts(store.database).create()
    nights = Nights(store.database)
    plan(nights, "a")
    nights.ended(TENANT, NIGHT, '{"first": 1}', 3_000)
    nights.ended(TENANT, NIGHT, '{"second": 1}', 4_000)
    found = nights.find(TENANT, NIGHT)
    assert found is not None
    assert (found.state, found.report, found.changed_at) == ("ended", '{"first": 1}', 3_000)
    nights.told(TENANT, NIGHT, 5_000)
    assert nights.open() == []
