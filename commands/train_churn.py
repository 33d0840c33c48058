"""`signalbox train churn`: the churn predictor, fitted on the feature store's history alone."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from commands.conducting import Conductor
from commands.progress import Display
from commands.training_parts import opened
from models.churn import MODEL
from training.churn import Trained, train
from training.churn_dataset import known_days
from training.churn_split import Split
from training.provenance import provenance


def churn(
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Look at nothing from this day (UTC) on."),
    ] = None,
    horizon_days: Annotated[
        int, typer.Option(min=1, max=365, help="Who orders nothing for so long has stayed away.")
    ] = 30,
    calibration_weeks: Annotated[int, typer.Option(min=1, help="How many weeks to calibrate on.")] = 4,
    test_weeks: Annotated[int, typer.Option(min=1, help="How many weeks to measure on.")] = 4,
    model_dir: Annotated[Path | None, typer.Option(help="Save there, and not in the registry.")] = None,
    tenant: Annotated[str, typer.Option(help="Whose customers they are.")] = "retailpulse",
) -> None:
    """Fit the churn predictor on customers' features at past moments, and measure it.

    Exit code 0 if it was registered, or is the champion already; 4 if the gate refused it.
    """
    settings, store = opened(model_dir)

    def make(folder: Path) -> Trained:
        since, last = known_days(store, tenant)
        end = int(until.replace(tzinfo=UTC).timestamp() * 1_000) if until else last
        split = Split.before(end, since, horizon_days, calibration_weeks, test_weeks)
        with Display() as display:
            made = provenance(store, "lightgbm", "numpy", "scikit-learn")
            return train(store, tenant, split, folder, made, display)

    Conductor(settings, store, MODEL, tenant).conduct(make)
