"""Which model is to be trained, from what? What passes the gate becomes the challenger."""

from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated

import typer

from commands.train_churn import churn
from commands.train_forecast import forecast

if TYPE_CHECKING:
    from features.offline.store import OfflineStore
    from training.transactions import Transactions

app = typer.Typer(
    help="Train a model; what passes the gate is registered as challenger.", no_args_is_help=True
)


@app.callback()
def models() -> None:
    """Train a model; what passes the gate is registered as challenger."""


@app.command()
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
    """Fit the fraud classifier on the tenant's own orders and the labels that came for them, and measure it.

    Orders, labels and the features of each order's time are the offline store's; orders of the last 7 days
    are left out, since their labels may still come. A file is used only if --data names one.

    Exit code 0 where it was registered, or is the champion already; 4 where the gate refused it.
    """
    from commands.conducting import Conductor
    from commands.training_parts import opened
    from models.fraud import MODEL
    from training.dataset import Split
    from training.fraud import Trained, train
    from training.provenance import provenance
    from training.stored import stored_in

    settings, store = opened(model_dir)
    conductor = Conductor(settings, store, MODEL, tenant)

    def make(folder: Path) -> Trained:
        with Display() as display:
            transactions, source, end = _transactions(data, until, store, tenant, display)
            split = Split.before(end, train_days)
            made = provenance(store, "lightgbm", "numpy")
            return train(transactions, split, source, stored_in(store, tenant), folder, made, display)

    conductor.conduct(make)


app.command()(churn)
app.command()(forecast)


def _transactions(
    data: Path | None, until: datetime | None, store: "OfflineStore", tenant: str, display: "Display"
) -> tuple["Transactions", str, date]:
    """What is trained on, where it is from, and the first day that is not looked at."""
    from datetime import timedelta

    if data is not None:
        from training.parquet import read_transactions

        display.say(f"read {data}")
        transactions = read_transactions(data)
        end = until.date() if until else transactions.last_day + timedelta(days=1)
        return transactions, str(data), end
    from training.own_orders import SOURCE, own_orders

    own = own_orders(store, tenant, until.date() if until else None)
    display.say(f"{SOURCE}: {own}")
    return own.transactions, SOURCE, own.end


class Display:
    """Steps as lines, and a bar while trees grow. `training.fraud.Progress`."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        )
        self._trees = self._progress.add_task("trees", total=None, visible=False)

    def __enter__(self) -> "Display":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, message: str) -> None:
        """One line, above the bar."""
        self._progress.console.print(message, highlight=False, soft_wrap=True)

    def tree(self, grown: int, of: int) -> None:
        """The bar's place."""
        self._progress.update(self._trees, completed=grown, total=of, visible=True)
