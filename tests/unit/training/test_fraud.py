"""Training tells the same from the same data, and looks at nothing that came later."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from events.errors import ConfigError
from features.offline.store import OfflineStore, open_offline
from models.recipe import lacks
from stack.history import history
from tests.trained import DAYS, RETAIL, UNTIL, placed, remember, small_database, train_small
from training.fraud import Trained
from training.transactions import DAY_S, Transaction, day_number, from_rows

MIDNIGHT = day_number(UNTIL) * DAY_S


@pytest.fixture
def store(tmp_path: Path) -> OfflineStore:
    """A copy of the small shop's features, to be added to."""
    return open_offline(f"sqlite:///{shutil.copy(small_database(), tmp_path / 'features.db')}")


def remember_too(store: OfflineStore, more: list[Transaction]) -> None:
    remember(store, (placed(each, f"more-{number}") for number, each in enumerate(more)))


def test_the_same_data_gives_the_same_digest(trained: Trained, tmp_path: Path) -> None:
    again = train_small(tmp_path)
    assert again.metadata.digest == trained.metadata.digest
    assert (again.path / "model.txt").read_bytes() == (trained.path / "model.txt").read_bytes()


def test_what_comes_after_the_last_day_changes_nothing(
    trained: Trained, tmp_path: Path, store: OfflineStore
) -> None:
    later = [Transaction(MIDNIGHT + second, f"c-{second}", "t-1", 9_999, True) for second in range(300)]
    remember_too(store, later)
    everything = from_rows([*history(RETAIL, UNTIL, days=DAYS), *later])
    assert train_small(tmp_path, everything, store).metadata.digest == trained.metadata.digest


def test_one_order_more_in_the_past_gives_another_digest(
    trained: Trained, tmp_path: Path, store: OfflineStore
) -> None:
    more = [Transaction(MIDNIGHT - 1, "c-1", "t-1", 100, False)]
    remember_too(store, more)
    everything = from_rows([*history(RETAIL, UNTIL, days=DAYS), *more])
    assert train_small(tmp_path, everything, store).metadata.digest != trained.metadata.digest


def test_a_past_that_only_the_store_knows_gives_another_digest(
    trained: Trained, tmp_path: Path, store: OfflineStore
) -> None:
    before = MIDNIGHT - 30 * DAY_S
    remember_too(store, [Transaction(before + n, "c-1", "t-1", 50_000, False) for n in range(500)])
    assert train_small(tmp_path, store=store).metadata.digest != trained.metadata.digest


def test_the_record_says_what_it_was_trained_on_and_how_well_it_did(trained: Trained) -> None:
    recipe = trained.metadata.recipe
    assert recipe.data.last == str(UNTIL - timedelta(days=1))
    assert recipe.data.rows["train"] > recipe.data.labels["train.fraud"] > 0
    assert lacks(recipe, trained.metadata.provenance) == ()
    assert recipe.parameters["trees"] == 200
    assert recipe.metrics["auc_roc"] > 0.75


def test_data_that_is_too_short_is_refused_and_saves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the small shop: holds 2026-02-22 to 2026-03-01"):
        train_small(tmp_path, from_rows(history(RETAIL, UNTIL, days=8)))
    assert list(tmp_path.iterdir()) == []


def test_without_the_past_of_its_orders_the_way_to_it_is_told_and_nothing_saved(tmp_path: Path) -> None:
    empty = open_offline("sqlite:///:memory:")
    remember(empty, [])
    with pytest.raises(ConfigError, match="`signalbox features backfill`"):
        train_small(tmp_path, store=empty)
    assert list(tmp_path.iterdir()) == []
