"""Training tells the same from the same data, and looks at nothing that came later."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from events.errors import ConfigError
from features.definitions import CUSTOMER, TERMINAL
from features.snapshot import SNAPSHOT_FILE, read_snapshot
from models.fraud_matrix import assemble
from stack.history import history
from tests.trained import RETAIL, UNTIL, small_history, train_small
from tests.unit.models.cases import case, order
from training.dataset import matrix
from training.fraud import Trained
from training.transactions import DAY_S, Transaction, day_number, from_rows
from training.windows import Pasts

MIDNIGHT = day_number(UNTIL) * DAY_S


def test_the_same_data_gives_the_same_digest(trained: Trained, tmp_path: Path) -> None:
    again = train_small(tmp_path)
    assert again.metadata.digest == trained.metadata.digest
    assert (again.path / "model.txt").read_bytes() == (trained.path / "model.txt").read_bytes()
    assert (again.path / SNAPSHOT_FILE).read_bytes() == (trained.path / SNAPSHOT_FILE).read_bytes()


def test_what_comes_after_the_last_day_changes_nothing(trained: Trained, tmp_path: Path) -> None:
    later = list(history(RETAIL, UNTIL, days=56))
    later += [Transaction(MIDNIGHT + second, "a stranger", "t-1", 9_999, True) for second in range(500)]
    assert train_small(tmp_path, from_rows(later)).metadata.digest == trained.metadata.digest


def test_one_order_more_in_the_past_gives_another_digest(trained: Trained, tmp_path: Path) -> None:
    more = [*history(RETAIL, UNTIL, days=56), Transaction(MIDNIGHT - 1, "c-1", "t-1", 100, False)]
    assert train_small(tmp_path, from_rows(more)).metadata.digest != trained.metadata.digest


def test_the_record_says_what_it_was_trained_on_and_how_well_it_did(trained: Trained) -> None:
    recipe = trained.metadata.recipe
    assert recipe.data.test_last == str(UNTIL - timedelta(days=1))
    assert recipe.data.train_rows > recipe.data.train_fraud > 0
    assert recipe.parameters["trees"] == 200
    assert recipe.metrics["auc_roc"] > 0.75
    assert set(trained.metadata.libraries) == {"python", "lightgbm", "numpy"}


def test_data_that_is_too_short_is_refused_and_saves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the small shop: holds 2026-02-22 to 2026-03-01"):
        train_small(tmp_path, from_rows(history(RETAIL, UNTIL, days=8)))
    assert list(tmp_path.iterdir()) == []


def test_serving_sees_of_an_order_what_training_would_have_seen(trained: Trained) -> None:
    """An order at the very moment of the snapshot: its row by training, and by the store."""
    past = small_history()
    rows = dict(read_snapshot(trained.path / SNAPSHOT_FILE, "acme"))
    customers = sorted(key.entity_id for key in rows if key.entity == CUSTOMER)[:50]
    terminals = sorted(key.entity_id for key in rows if key.entity == TERMINAL)[:50]
    new = [
        Transaction(MIDNIGHT, customer, terminal, 5_716 + place, False)
        for place, (customer, terminal) in enumerate(zip(customers, terminals, strict=True))
    ]
    whole = from_rows([*history(RETAIL, UNTIL, days=56), *new])
    by_training = matrix(whole, np.arange(len(past), len(whole)), Pasts.of(whole))
    by_id = {(key.entity, key.entity_id): row for key, row in rows.items()}
    cases = [
        case(
            order(MIDNIGHT * 1_000, amount=each.amount_cents / 100),
            by_id[CUSTOMER, each.customer],
            by_id[TERMINAL, each.terminal],
        )
        for each in new
    ]
    np.testing.assert_array_equal(assemble(cases).matrix, by_training)
