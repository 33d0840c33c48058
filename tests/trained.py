"""A small fraud model that is really trained: a second's work, done once for a whole run."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from stack.history import history
from stack.retail import FIRST_DAY, Retail
from training.dataset import Split
from training.fraud import Trained, train
from training.transactions import Transactions, from_rows

RETAIL = Retail(
    customers=300, terminals=300, compromised_terminals_a_day=0.3, compromised_customers_a_day=0.5
)
UNTIL = FIRST_DAY
TRAIN_DAYS = 14
THRESHOLDS = "review_at: 0.1\nhold_at: 0.6\n"


class Silent:
    """A progress that shows nothing."""

    def say(self, message: str) -> None: ...

    def tree(self, grown: int, of: int) -> None: ...


@cache
def small_history() -> Transactions:
    """Eight weeks of a small shop."""
    return from_rows(history(RETAIL, UNTIL, days=56))


def train_small(model_dir: Path, transactions: Transactions | None = None) -> Trained:
    """Train on the small shop, or on what is handed in, and save into `model_dir`."""
    return train(
        transactions or small_history(),
        Split.before(UNTIL, TRAIN_DAYS),
        "the small shop",
        model_dir,
        datetime(2026, 3, 2, 6, tzinfo=UTC),
        Silent(),
    )
