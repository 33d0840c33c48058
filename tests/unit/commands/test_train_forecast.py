"""`signalbox train forecast`, from nothing but what the feature store has of a small shop's sales."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner, Result

import settings
from commands.train import app
from events.errors import ConfigError
from events.nightly import HORIZON_DAYS
from features.offline.sales import Sales
from features.offline.store import open_offline
from features.retail import DEFINITIONS
from models.artifact import load, versions
from models.forecast import DemandForecaster
from tests.integration.features.made import TENANT, batch, event
from tests.unit.models.demand import MONDAY, weekly

ZONE = ZoneInfo("Europe/London")
DAYS = 140
SKUS = {f"sku-{number}": weekly(scale=1.0 + number, days=DAYS, seed=number) for number in range(10)}
END = MONDAY + timedelta(days=DAYS)
"""The last day that anything is sold on is not over."""
FITTING = ("--blend-weeks", 1, "--test-weeks", 1, "--skus", 10, "--tenant", TENANT)


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """Twenty weeks of a customer who buys all that is sold in a day, at noon."""
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("SIGNALBOX_TIME_ZONE", ZONE.key)
    monkeypatch.setenv("SIGNALBOX_TRAINING_REPORTS", str(tmp_path / "reports"))
    settings.load_settings.cache_clear()
    store = open_offline(url)
    store.create(DEFINITIONS)
    store.commit(
        batch(*(event("order.placed", bought(day), offset=day, at=noon(day)) for day in range(DAYS + 1)))
    )
    store.close()
    yield url
    settings.load_settings.cache_clear()


def noon(day: int) -> int:
    return int(datetime.combine(MONDAY + timedelta(days=day), time(12), UTC).timestamp() * 1_000)


def bought(day: int) -> dict[str, object]:
    """What was sold on that day; on the last one, a lot of everything."""
    pieces = {sku: int(each.demand[day]) if day < DAYS else 10_000 for sku, each in SKUS.items()}
    items = [{"sku": sku, "quantity": many, "unit_price": 2.0} for sku, many in pieces.items() if many]
    return {"customer_id": "c-1", "terminal_id": "t-1", "amount": 1.0, "items": items}


def run(folder: Path, *arguments: object) -> Result:
    told = ["forecast", "--model-dir", str(folder), *map(str, arguments)]
    return CliRunner().invoke(app, told, catch_exceptions=False)


def test_what_the_store_has_makes_a_version_that_forecasts_out_of_the_same_store(
    tmp_path: Path, database: str
) -> None:
    done = run(tmp_path, *FITTING)
    assert done.exit_code == 0, done.output
    (path,) = versions(tmp_path, "demand-forecaster")
    version = load(path)
    assert f"registered: version 1 is the challenger, digest {version.metadata.digest[:12]}" in done.output
    assert version.metadata.recipe.data.last == str(END - timedelta(days=1))
    assert {"prophet", "numpy"} < version.metadata.provenance.libraries.keys()
    store = open_offline(database)
    known = Sales(store.database, ZONE).series(TENANT, ["sku-9"], END)
    store.close()
    made = DemandForecaster.load(version).forecast(known, END)["sku-9"]
    assert made.method == "ensemble"
    assert made.mean[:HORIZON_DAYS].sum() == pytest.approx(290, rel=0.25)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            ("--until", "2026-04-01"), "needs sales since .*: `signalbox features backfill`", id="too short"
        ),
        pytest.param(("--tenant", "nobody"), "knows no order of nobody", id="a tenant without orders"),
    ],
)
@pytest.mark.usefixtures("database")
def test_a_past_that_does_not_do_is_refused_with_the_way_out(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        run(tmp_path, *FITTING, *arguments)
