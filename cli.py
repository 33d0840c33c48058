"""The command line, `signalbox`: its commands by name, each loaded from `commands/` only if it runs."""

import sys
from typing import ClassVar

import typer

from commands.lazy_group import LazyCommand, LazyGroup
from events.errors import SignalboxError


class Commands(LazyGroup):
    """What `signalbox --help` lists, in this order."""

    lazy_subcommands: ClassVar = {
        "up": LazyCommand(
            "commands.stack:up",
            "Start everything on this machine, embedded if no address is configured, until Ctrl-C.",
        ),
        "demo": LazyCommand(
            "commands.stack:demo",
            "Train, start the stack, play events, show what comes of them, and count: 0 if none is missing.",
        ),
        "logs": LazyCommand(
            "commands.stack_logs:logs",
            "Show the log of one process of the local stack, or name all; with -f and no PART, follow all.",
        ),
        "traffic": LazyCommand(
            "commands.traffic:traffic",
            "Play RetailPulse's events into the event topic, endlessly: today's as they occur, and guests'.",
        ),
        "balance": LazyCommand(
            "commands.balance:balance",
            "Count from Kafka alone if every event has its outcome: 0 if so, else 1 and what is missing.",
        ),
        "dispatcher": LazyCommand(
            "commands.dispatch:dispatcher",
            "Route events to their lanes and feed the Celery queues from them, until SIGTERM or Ctrl-C.",
        ),
        "reconcile": LazyCommand(
            "commands.dispatch:reconcile",
            "Find what was fed and has no outcome, and feed it again, until SIGTERM or Ctrl-C.",
        ),
        "where": LazyCommand(
            "commands.dispatch:where",
            "Tell from the logs where an event is, and what came of it. Exit code 1 if it is in none.",
        ),
        "worker": LazyCommand(
            "commands.worker:worker",
            "Print and run the Celery command of a queue's pool.",
        ),
        "routes": LazyCommand(
            "commands.routes:app",
            "The routing table: check it, show it, explain an event by it.",
        ),
        "topics": LazyCommand(
            "commands.topics:app",
            "The Kafka topics that config/topics.yaml declares.",
        ),
        "schemas": LazyCommand(
            "commands.schemas:app",
            "Event schemas: check them against what is written down, write, show, register them.",
        ),
        "train": LazyCommand(
            "commands.train:app",
            "Train a model; what passes the gate is registered as challenger.",
        ),
        "models": LazyCommand(
            "commands.models:app",
            "The model registry: versions, aliases, and who moved them.",
        ),
        "features": LazyCommand(
            "commands.features:app",
            "The feature store.",
        ),
        "database": LazyCommand(
            "commands.database:app",
            "The SQL store at DATABASE_URL: its schema revision.",
        ),
        "forecast": LazyCommand(
            "commands.forecast:app",
            "The demand forecast: run a night, see what it said.",
        ),
        "agent": LazyCommand(
            "commands.agent:app",
            "The support agent: its versions and its runs.",
        ),
        "deadletters": LazyCommand(
            "commands.deadletters:app",
            "Look at dead letters, and replay them once the cause is gone.",
        ),
    }


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def signalbox() -> None:
    """Typed events wake the right machine-learning model at the right moment."""


def main() -> None:
    """Run a command. An error that an operator can correct is printed without a traceback; exit code 2."""
    try:
        app()
    except SignalboxError as error:
        typer.echo(f"signalbox: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
