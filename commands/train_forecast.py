"""`signalbox train forecast`: the demand forecaster, fitted on each SKU's sales in the offline store."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from commands.conducting import Conductor
from commands.progress import Display
from commands.training_parts import opened
from features.offline.sales import Sales
from models.forecast import MODEL
from training.churn_dataset import known_days
from training.forecast import Trained, train
from training.forecast_split import Weeks
from training.provenance import distribution, provenance


def forecast(
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Look at nothing from this day of the shop's on."),
    ] = None,
    blend_weeks: Annotated[int, typer.Option(min=1, help="How many weeks to join the parts on.")] = 4,
    test_weeks: Annotated[int, typer.Option(min=1, help="How many weeks to measure on.")] = 2,
    skus: Annotated[int, typer.Option(min=10, help="Of how many of the best-selling SKUs.")] = 100,
    model_dir: Annotated[Path | None, typer.Option(help="Save there, and not in the registry.")] = None,
    tenant: Annotated[str, typer.Option(help="Whose SKUs they are.")] = "retailpulse",
) -> None:
    """Fit the global model on every SKU's past, choose how Prophet joins it, and measure both.

    Exit code 0 if it was registered, or is the champion already; 4 if the gate refused it.
    """
    settings, store = opened(model_dir)

    def make(folder: Path) -> Trained:
        _, last = known_days(store, tenant)
        end = (until or datetime.fromtimestamp(last / 1_000, UTC).astimezone(settings.time_zone)).date()
        sales = Sales(store.database, settings.time_zone)
        with Display() as display:
            series = sales.series(tenant, sales.catalogue(tenant, end), end)
            made = provenance(store, distribution("xgboost"), "prophet", "cmdstanpy", "numpy")
            return train(series, Weeks(end, blend_weeks, test_weeks), skus, folder, made, display)

    Conductor(settings, store, MODEL, tenant).conduct(make)
