"""Which model is to be trained, from what? What passes the gate becomes the challenger."""

from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated

import typer

from commands.train_churn import churn
from commands.train_forecast import forecast

if TYPE_CHECKING:
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
        typer.Option(help="A parquet file of card transactions; without one, the traffic generator's past."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Look at nothing from this day (UTC) on."),
    ] = None,
    train_days: Annotated[int, typer.Option(min=1, help="How many days to fit on.")] = 28,
    model_dir: Annotated[Path | None, typer.Option(help="Save there, and not in the registry.")] = None,
    tenant: Annotated[str, typer.Option(help="Whose customers and terminals they are.")] = "retailpulse",
) -> None:
    """Fit the fraud classifier on the features that the offline store had of each order, and measure it.

    Exit code 0 where it was registered, or is the champion already; 4 where the gate refused it.
    """
    from datetime import timedelta

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
            transactions, source = _transactions(data, until, display)
            end = until.date() if until else transactions.last_day + timedelta(days=1)
            split = Split.before(end, train_days)
            made = provenance(store, "lightgbm", "numpy")
            return train(transactions, split, source, stored_in(store, tenant), folder, made, display)

    conductor.conduct(make)


app.command()(churn)
app.command()(forecast)


def _transactions(
    data: Path | None, until: datetime | None, display: "Display"
) -> tuple["Transactions", str]:
    if data is not None:
        from training.parquet import read_transactions

        display.say(f"read {data}")
        return read_transactions(data), str(data)
    from stack.history import DAYS, history
    from stack.retail import FIRST_DAY, Retail
    from training.transactions import from_rows

    end = until.date() if until else FIRST_DAY
    display.say(f"no --data: RetailPulse's own last {DAYS} days before {end}, generated")
    return from_rows(history(Retail(), end)), "the generated history"


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
