"""`signalbox train fraud`: the fraud classifier, fitted on orders and the labels that came for them."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from commands.conducting import Conductor
from commands.progress import Display
from commands.training_parts import opened
from features.offline.store import OfflineStore
from models.fraud import MODEL
from training.dataset import Split
from training.fraud import Trained, train
from training.own_orders import SOURCE, own_orders
from training.parquet import read_transactions
from training.provenance import provenance
from training.stored import stored_in
from training.transactions import Transactions


def fraud(
    data: Annotated[
        Path | None,
        typer.Option(help="Train on this parquet file of card transactions, not on the store's orders."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Look at nothing from this day (UTC) on."),
    ] = None,
    train_days: Annotated[int, typer.Option(min=1, help="How many days to fit on.")] = 28,
    model_dir: Annotated[Path | None, typer.Option(help="Save there, and not in the registry.")] = None,
    tenant: Annotated[str, typer.Option(help="Whose customers and terminals they are.")] = "retailpulse",
) -> None:
    """Fit the fraud classifier on the tenant's own orders and their labels, and measure it.

    Orders, labels and the features of each order's time are the offline store's; orders of the last 7 days
    are left out, since their labels may still come. A file is used only if --data names one.

    Exit code 0 if it was registered, or is the champion already; 4 if the gate refused it.
    """
    settings, store = opened(model_dir)
    conductor = Conductor(settings, store, MODEL, tenant)

    def make(folder: Path) -> Trained:
        with Display() as display:
            transactions, source, end = _transactions(data, until, store, tenant, display)
            split = Split.before(end, train_days)
            made = provenance(store, "lightgbm", "numpy")
            return train(transactions, split, source, stored_in(store, tenant), folder, made, display)

    conductor.conduct(make)


def _transactions(
    data: Path | None, until: datetime | None, store: OfflineStore, tenant: str, display: Display
) -> tuple[Transactions, str, date]:
    """The transactions, the name of their source, and the first day that is left out."""
    if data is not None:
        display.say(f"read {data}")
        transactions = read_transactions(data)
        end = until.date() if until else transactions.last_day + timedelta(days=1)
        return transactions, str(data), end

    own = own_orders(store, tenant, until.date() if until else None)
    display.say(f"{SOURCE}: {own}")
    return own.transactions, SOURCE, own.end
