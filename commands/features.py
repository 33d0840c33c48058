"""The feature store: what is in it, how it is kept, and whether it serves what it holds."""

import typer

from commands.feature_materialize import materialize
from commands.feature_pipeline import backfill, pipeline
from commands.feature_values import freshness, get, history
from commands.skew import skew

app = typer.Typer(help="The feature store.", no_args_is_help=True)


@app.callback()
def store() -> None:
    """The feature store."""


for command in (get, history, freshness, skew, materialize, pipeline, backfill):
    app.command()(command)


@app.command(name="list")
def list_features() -> None:
    """Every feature: whose it is, what it is made of, how long it holds, and who answers for it."""
    from features.listing import listing
    from features.retail import DEFINITIONS

    for line in listing(DEFINITIONS):
        typer.echo(line)
