"""`signalbox train fraud`, from a small shop's store, and from a file of its transactions."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import settings
from commands.train import app
from events.errors import ConfigError
from models.artifact import load, versions
from models.runs import Runs
from tests.trained import small_database, small_file
from tests.unit.features.misread import misread_database
from transport.database import open_database


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_file(tmp_path_factory.mktemp("cards") / "cards.parquet")


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The offline store holds the small shop's past."""
    # a copy: a training writes down that it is going on
    database = shutil.copy(small_database(), tmp_path / "features.db")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{database}")
    monkeypatch.setenv("SIGNALBOX_TRAINING_REPORTS", str(tmp_path / "reports"))
    settings.load_settings.cache_clear()
    yield
    settings.load_settings.cache_clear()


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["fraud", *map(str, arguments)], catch_exceptions=False)


def test_a_file_is_trained_on_up_to_its_last_day(cards: Path, tmp_path: Path) -> None:
    result = run("--data", cards, "--model-dir", tmp_path, "--train-days", 14)
    assert result.exit_code == 0, result.output
    assert "2026-02-23 to 2026-03-01, without customers known to be compromised" in result.output
    (path,) = versions(tmp_path, "fraud-classifier")
    digest = load(path).metadata.digest
    assert f"registered: version 1 is the challenger, digest {digest[:12]}" in result.output
    assert "auc_roc 0." in result.output


def test_without_a_file_the_shops_own_matured_orders_are_trained_on(tmp_path: Path) -> None:
    result = run("--model-dir", tmp_path, "--train-days", 14, "--until", "2026-03-02")
    assert result.exit_code == 0, result.output
    assert "own orders before 2026-02-23" in result.output
    (path,) = versions(tmp_path, "fraud-classifier")
    data = load(path).metadata.recipe.data
    assert data.last == "2026-02-22"
    assert data.labels["train.fraud"] > 0


def test_without_a_file_another_tenants_orders_are_not_trained_on(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no order of acme by its id"):
        run("--model-dir", tmp_path, "--train-days", 14, "--tenant", "acme")


def test_the_same_data_gives_the_same_digest_and_no_second_version(cards: Path, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        assert run("--data", cards, "--model-dir", folder, "--train-days", 14).exit_code == 0
    one, two = (load(versions(folder, "fraud-classifier")[0]).metadata.digest for folder in folders)
    assert one == two
    again = run("--data", cards, "--model-dir", folders[0], "--train-days", 14)
    assert again.exit_code == 0
    assert "unchanged: the same as version 1, which is the champion" in again.output
    assert len(versions(folders[0], "fraud-classifier")) == 1


def test_a_model_that_is_no_better_is_not_registered_and_a_report_says_why(
    cards: Path, tmp_path: Path
) -> None:
    run("--data", cards, "--model-dir", tmp_path, "--train-days", 14)
    worse = run("--data", cards, "--model-dir", tmp_path, "--train-days", 3)
    assert worse.exit_code == 4
    assert "FAILED quality: average_precision 0." in worse.output
    assert len(versions(tmp_path, "fraud-classifier")) == 1
    reports = sorted((tmp_path / "reports" / "fraud-classifier").glob("*.json"))
    outcomes = {json.loads(path.read_bytes())["outcome"] for path in reports}
    assert outcomes == {"registered", "refused"}


def test_while_somebody_else_trains_nothing_begins(cards: Path, tmp_path: Path) -> None:
    runs = Runs(open_database(settings.load_settings().database_url))
    runs.create()
    runs.begin("fraud-classifier", "retailpulse", "somebody else")
    result = run("--data", cards, "--model-dir", tmp_path, "--train-days", 14)
    assert result.exit_code == 3
    assert "fraud-classifier is being trained by somebody else: one at a time" in result.output


def test_nothing_from_the_day_named_on_is_looked_at(cards: Path, tmp_path: Path) -> None:
    run("--data", cards, "--model-dir", tmp_path, "--train-days", 14, "--until", "2026-02-20")
    (path,) = versions(tmp_path, "fraud-classifier")
    assert load(path).metadata.recipe.data.last == "2026-02-19"


def test_a_file_that_is_too_short_is_refused_with_the_way_out(cards: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="choose another --until, or fewer --train-days"):
        run("--data", cards, "--model-dir", tmp_path, "--train-days", 60)


def test_a_past_that_would_be_misread_is_refused(
    cards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", misread_database(tmp_path))
    settings.load_settings.cache_clear()
    with pytest.raises(ConfigError, match=r"customer_orders: its measures or its resolution differ"):
        run("--data", cards, "--model-dir", tmp_path, "--train-days", 14)


def test_another_tenants_past_is_not_taken(cards: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="orders of acme: `signalbox features backfill`"):
        run("--data", cards, "--model-dir", tmp_path, "--train-days", 14, "--tenant", "acme")
