"""`signalbox train fraud`, from a file of a small shop's transactions."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

import settings
from commands.train import app
from events.errors import ConfigError
from models.artifact import load, versions
from tests.trained import small_database, small_history
from tests.unit.features.misread import misread_database


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    past = small_history()
    path = tmp_path_factory.mktemp("cards") / "cards.parquet"
    columns = {
        "transaction_id": list(range(len(past))),
        "tx_datetime": [datetime.fromtimestamp(second, UTC) for second in past.time.tolist()],
        "customer_id": [past.customers.ids[code] for code in past.customers.codes],
        "terminal_id": [past.terminals.ids[code] for code in past.terminals.codes],
        "tx_amount_cents": past.amount_cents,
        "tx_fraud": past.fraud,
    }
    pq.write_table(pa.table(columns), path)
    return path


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The offline store holds the small shop's past."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{small_database()}")
    settings.load_settings.cache_clear()
    yield
    settings.load_settings.cache_clear()


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["fraud", *map(str, arguments)], catch_exceptions=False)


def test_a_file_is_trained_on_up_to_its_last_day(cards: Path, tmp_path: Path) -> None:
    result = run("--data", cards, "--model-dir", tmp_path, "--train-days", 14)
    assert result.exit_code == 0
    assert "2026-02-23 to 2026-03-01, without customers known to be compromised" in result.output
    (path,) = versions(tmp_path, "fraud-classifier")
    digest = load(path).metadata.digest
    assert f"saved as {path}, digest {digest[:12]}" in result.output
    assert "auc_roc 0." in result.output


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
