"""`signalbox train`: one command a model; what passes the gate is registered as challenger."""

from typing import ClassVar

import typer

from commands.lazy_group import LazyCommand, LazyGroup


class Trainings(LazyGroup):
    """A model each: the libraries that one is fitted with are not asked for by the others."""

    lazy_subcommands: ClassVar = {
        "fraud": LazyCommand(
            "commands.train_fraud:fraud",
            "Fit the fraud classifier on the tenant's own orders and their labels, and measure it.",
        ),
        "churn": LazyCommand(
            "commands.train_churn:churn",
            "Fit the churn predictor on customers' features at past moments, and measure it.",
        ),
        "forecast": LazyCommand(
            "commands.train_forecast:forecast",
            "Fit the global model on every SKU's past, choose how Prophet joins it, and measure both.",
        ),
    }


app = typer.Typer(
    cls=Trainings,
    help="Train a model; what passes the gate is registered as challenger.",
    no_args_is_help=True,
)


@app.callback()
def models() -> None:
    """Train a model; what passes the gate is registered as challenger."""
