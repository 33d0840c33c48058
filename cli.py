"""Which commands `signalbox` has. Each lives in `commands/`; heavy imports happen inside them."""

import sys

import typer

from commands import (
    agent,
    database,
    deadletters,
    dispatch,
    features,
    forecast,
    models,
    routes,
    schemas,
    stack,
    topics,
    train,
    worker,
)
from events.errors import SignalboxError

app = typer.Typer(
    help="Typed events wake the right machine-learning model at the right moment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
COMMANDS = (
    *(stack.up, stack.demo, stack.logs, stack.traffic, stack.balance),
    *(dispatch.dispatcher, dispatch.reconcile, dispatch.where, worker.worker),
)
GROUPS = {
    "routes": routes.app,
    "topics": topics.app,
    "schemas": schemas.app,
    "train": train.app,
    "models": models.app,
    "features": features.app,
    "database": database.app,
    "forecast": forecast.app,
    "agent": agent.app,
    "deadletters": deadletters.app,
}

for command in COMMANDS:
    app.command()(command)
for name, group in GROUPS.items():
    app.add_typer(group, name=name)


def main() -> None:
    """Run a command. What an operator can put right is said without a traceback; exit code 2."""
    try:
        app()
    except SignalboxError as error:
        typer.echo(f"signalbox: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
