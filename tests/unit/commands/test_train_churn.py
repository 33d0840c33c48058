"""`signalbox train churn`, from nothing but a small shop's feature store."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import settings
from commands.train import app
from events.errors import ConfigError
from models.artifact import load, versions
from tests.trained import small_database

FITTING = ("--horizon-days", 7, "--calibration-weeks", 2, "--test-weeks", 1)


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The offline store holds the small shop's past."""
    database = shutil.copy(small_database(), tmp_path / "features.db")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{database}")
    monkeypatch.setenv("SIGNALBOX_TRAINING_REPORTS", str(tmp_path / "reports"))
    settings.load_settings.cache_clear()
    yield
    settings.load_settings.cache_clear()


def run(folder: Path, *arguments: object) -> Result:
    told = ["churn", "--model-dir", str(folder), *map(str, arguments)]
    return CliRunner().invoke(app, told, catch_exceptions=False)


def test_the_shops_past_makes_a_challenger_and_a_second_run_makes_no_other(tmp_path: Path) -> None:
    first, again = run(tmp_path, *FITTING), run(tmp_path, *FITTING)
    assert (first.exit_code, again.exit_code) == (0, 0), first.output
    (path,) = versions(tmp_path, "churn-predictor")
    metadata = load(path).metadata
    assert f"registered: version 1 is the challenger, digest {metadata.digest[:12]}" in first.output
    assert "unchanged: the same as version 1" in again.output
    assert metadata.recipe.parameters["horizon_days"] == 7


def test_nothing_from_the_day_named_on_is_looked_at(tmp_path: Path) -> None:
    run(tmp_path, *FITTING, "--until", "2026-02-27")
    (path,) = versions(tmp_path, "churn-predictor")
    assert load(path).metadata.recipe.data.last == "2026-02-26"


def test_a_past_too_short_for_the_horizon_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a horizon of 30 days, .* choose less of each"):
        run(tmp_path)


def test_a_tenant_without_orders_is_told_how_to_count_some(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="knows no order of acme: `signalbox features backfill`"):
        run(tmp_path, "--tenant", "acme")
