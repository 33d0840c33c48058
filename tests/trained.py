"""A small fraud model that is really trained, on a feature store that holds a small shop's past."""

import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from features.backfilling import count_history
from features.offline.store import OfflineStore, open_offline
from features.pipeline.reading import Record
from features.retail import DEFINITIONS
from models.recipe import Provenance
from stack.history import history, past_events
from stack.retail import FIRST_DAY, TENANT, Retail
from training.dataset import Split
from training.fraud import Trained, train
from training.stored import stored_in
from training.transactions import Transaction, Transactions, from_rows
from transport.clock import system_clock

RETAIL = Retail(
    customers=300, terminals=300, compromised_terminals_a_day=0.3, compromised_customers_a_day=0.5
)
UNTIL = FIRST_DAY
DAYS = 56
TRAIN_DAYS = 14
PROVENANCE = Provenance(
    trained_at="2026-03-02T06:00:00+00:00",
    trained_by="tests",
    git_commit="0" * 40,
    libraries={"lightgbm": "4.6.0"},
    snapshot="-1@56000",
)
THRESHOLDS = "review_at: 0.1\nhold_at: 0.6\n"


class Silent:
    """A progress that shows nothing."""

    def say(self, message: str) -> None: ...

    def tree(self, grown: int, of: int) -> None: ...


@cache
def small_history() -> Transactions:
    """Eight weeks of a small shop."""
    return from_rows(history(RETAIL, UNTIL, days=DAYS))


def small_file(path: Path) -> Path:
    """The same as a parquet file of card transactions."""
    past = small_history()
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


@cache
def small_database() -> Path:
    """An SQLite file with what these orders add to the features: copy it before you write."""
    path = Path(tempfile.mkdtemp(prefix="signalbox-test-")) / "features.db"
    store = open_offline(f"sqlite:///{path}")
    remember(store, _small_past())
    store.close()
    return path


@cache
def small_store() -> OfflineStore:
    """Reads from it."""
    return open_offline(f"sqlite:///{small_database()}")


def _small_past() -> Iterator[bytes]:
    return (sent.value for sent in past_events(RETAIL, UNTIL, days=DAYS))


def remember(store: OfflineStore, events: Iterable[bytes]) -> None:
    """Count events in an offline store, whose tables are made where they are missing."""
    store.create(DEFINITIONS)
    now = system_clock()
    count_history((Record(place, now, value, None) for place, value in enumerate(events)), DEFINITIONS, store)


def placed(transaction: Transaction, event_id: str) -> bytes:
    """An order as an event."""
    event = {
        "event_id": event_id,
        "event_type": "order.placed",
        "source": "tests",
        "version": "1.0.0",
        "occurred_at": transaction.time * 1_000,
        "tenant_id": TENANT,
        "payload": {
            "order_id": event_id,
            "customer_id": transaction.customer,
            "terminal_id": transaction.terminal,
            "amount": transaction.amount_cents / 100,
            "currency": "GBP",
        },
    }
    return msgspec.json.encode(event)


def train_small(
    model_dir: Path,
    transactions: Transactions | None = None,
    store: OfflineStore | None = None,
    train_days: int = TRAIN_DAYS,
) -> Trained:
    """Train on the small shop, or on what is handed in, and save into `model_dir`."""
    return train(
        transactions or small_history(),
        Split.before(UNTIL, train_days),
        "the small shop",
        stored_in(store or small_store(), TENANT),
        model_dir,
        PROVENANCE,
        Silent(),
    )
