"""`signalbox up` and `signalbox demo`: the local stack, and the demonstration on it."""

from pathlib import Path
from typing import Annotated

import typer

from settings import load_settings
from stack.demo import demo as run_demo
from stack.up import refuse_second_stack
from stack.up import up as run_stack


def up(
    rate: Annotated[float, typer.Option(min=0, help="Events a second that are played; 0 plays none.")] = 50,
) -> None:
    """Start everything on this machine, embedded if no address is configured, until Ctrl-C."""
    refuse_second_stack()
    run_stack(load_settings(), rate)


def demo(
    data: Annotated[
        Path | None,
        typer.Option(help="A parquet file of card transactions to play instead of a generated day."),
    ] = None,
    events: Annotated[
        int | None, typer.Option(min=1, help="How many events to play; else a day, or the file's last week.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(min=1, help="How many a second, on average; else 40, of a file 300.")
    ] = None,
    floods: Annotated[
        bool, typer.Option("--floods", help="Two floods of orders: see which lane they slow down.")
    ] = False,
) -> None:
    """Train, start the stack, play events, show what comes of them, and count: 0 if none is missing."""
    refuse_second_stack()
    raise typer.Exit(0 if run_demo(load_settings(), data, events, rate, floods=floods) else 1)
