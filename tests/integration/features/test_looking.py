"""`signalbox features get|history|freshness|materialize`: what an operator sees of the store."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import inspect, text
from typer.testing import CliRunner, Result

import settings
from commands.features import app
from events.errors import ConfigError, Unavailable
from features.offline.store import OfflineStore
from features.redis_store import Heartbeat, RedisStore
from features.retail import PRODUCT_CATALOGUE
from tests.integration.features.made import DAY_MS, batch, confirmed, order
from transport.clock import system_clock

TENANT = ("--tenant", "acme")


@pytest.fixture(autouse=True)
def own_settings(offline_url: str, features_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DATABASE_URL", offline_url)
    monkeypatch.setenv("REDIS_URL", features_url)
    settings.load_settings.cache_clear()
    yield
    settings.load_settings.cache_clear()


@pytest.fixture
def now() -> int:
    return system_clock()


@pytest.fixture(autouse=True)
def counted(store: OfflineStore, now: int) -> None:
    """Two orders in the stream, one in the backfill, a fraud, and a product."""
    store.append_history([order(0, name="old", at=now - 20 * DAY_MS, amount=5)])
    store.commit(
        batch(
            order(7, at=now - 2 * DAY_MS, amount=1_234.5, name="evt-a"),
            order(8, at=now - DAY_MS, amount=10, name="evt-b"),
            confirmed(9, at=now - 3_600_000),
            position=12,
        )
    )
    store.batch.add(PRODUCT_CATALOGUE, [(("acme", "sku-1"), now - DAY_MS, {"product_category": "toys"})])


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def lines(result: Result) -> list[list[str]]:
    """The words of each line."""
    assert result.exit_code == 0, result.output
    return [line.split() for line in result.stdout.splitlines()]


def test_the_values_are_those_that_a_model_would_get() -> None:
    shown = {words[0]: words[1:] for words in lines(run("get", "customer", "c-1", *TENANT))}
    assert shown["lifetime_value"][:1] == ["1,249.5"]
    assert shown["customer_count_7d"][:1] == ["2"]
    assert shown["session_recency"][:2] == ["-1", "missing"]
    assert shown["from"][:5] == ["the", "offline", "tier", "at", "-1@1"]


def test_values_can_be_asked_for_as_of_a_time(now: int) -> None:
    at = datetime.fromtimestamp(now / 1_000 - 86_400 * 1.5, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    asked = run("get", "customer", "c-1", "--feature", "lifetime_value", "--at", at, *TENANT)
    assert lines(asked)[0][:2] == ["lifetime_value", "1,239.5"]


def test_the_history_names_each_event() -> None:
    shown = run("history", "customer", "c-1", *TENANT)
    found = [words for words in lines(shown) if "evt-a" in words or "old" in words]
    assert [words[1:] for words in found] == [
        ["orders", "+1", "amount", "1,234.50", "evt-a", "0@7", "counted", found[0][-1]],
        ["orders", "+1", "amount", "5.00", "old", "backfill@0", "counted", found[1][-1]],
    ]


def test_the_history_of_a_table_names_each_row() -> None:
    shown = lines(run("history", "sku", "sku-1", *TENANT))
    assert ["product_catalogue:", "1", "rows"] in shown
    assert "toys" in shown[-1]


def test_freshness_names_what_is_late(features_url: str, now: int) -> None:
    late = run("freshness")
    assert late.exit_code == 1
    assert "product_catalogue: budget 7,200 s, never materialised: stale" in late.stdout
    assert "customer_orders: budget 60 s, never counted: stale" in late.stdout

    beat(features_url, now)
    assert lines(run("materialize"))[-1][:2] == ["product_catalogue:", "1"]
    fresh = run("freshness")
    assert fresh.exit_code == 0, fresh.stdout
    assert "in SQL up to 12" in fresh.stdout
    assert "online up to 12" in fresh.stdout


def test_whole_views_get_online_by_hand(features_url: str, now: int) -> None:
    refused = run_refused("materialize", "--all")
    assert "start `signalbox features pipeline`" in refused

    beat(features_url, now)
    assert ["customer_orders:", "1", "rows", "put", "online"] in lines(run("materialize", "--all"))
    shown = lines(run("get", "customer", "c-1", "--feature", "lifetime_value", *TENANT))
    assert shown == [["lifetime_value", "1,249.5"], shown[1]]
    assert shown[1][:3] == ["from", "the", "online"]


def beat(url: str, now: int) -> None:
    """The pipeline says how far it is."""
    online = RedisStore(url)
    online.append(0, 0, Heartbeat(12, now, now), ())
    online.close()


def run_refused(*arguments: str) -> str:
    """What is said where a command cannot do its work."""
    with pytest.raises(Unavailable) as refused:
        run(*arguments)
    return str(refused.value)


def test_another_entitys_feature_is_refused_naming_whose_it_is() -> None:
    with pytest.raises(ConfigError, match="demand_7d: is a feature of a sku, not of a customer"):
        run("get", "customer", "c-1", "--feature", "demand_7d")


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("get", "customer", "c-1"), id="values"),
        pytest.param(("history", "customer", "c-1"), id="history"),
        pytest.param(("freshness",), id="freshness"),
    ],
)
def test_whoever_looks_at_an_empty_database_is_told_so_and_leaves_it_empty(
    store: OfflineStore, command: tuple[str, ...]
) -> None:
    drop_tables(store)
    with pytest.raises(ConfigError, match="is empty: fill it by `signalbox features backfill`"):
        run(*command)
    assert inspect(store.database.engine).get_table_names() == []


def drop_tables(store: OfflineStore) -> None:
    """The database as it was before anything was counted."""
    # by name: where BigQuery's dialect is imported too, reflecting a PostgreSQL warns of its `unnest`
    names = inspect(store.database.engine).get_table_names()
    cascade = " CASCADE" if store.database.engine.dialect.name == "postgresql" else ""
    with store.database.writing() as connection:
        for name in names:
            connection.execute(text(f"DROP TABLE {name}{cascade}"))


def test_a_table_that_is_not_there_is_named(store: OfflineStore) -> None:
    with store.database.writing() as connection:
        connection.execute(text(f"DROP TABLE {PRODUCT_CATALOGUE.table}"))
    with pytest.raises(
        ConfigError, match="product_catalogue: there is no such table: `signalbox features mat"
    ):
        run("freshness")


def test_an_entity_with_a_slip_is_told_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"no such entity.*customer"):
        run("get", "custmer", "c-1")
