"""`signalbox logs`: the log files of the local stack's processes."""

from contextlib import suppress
from typing import Annotated

import typer

from stack.output import LOGS
from stack.tailing import follow as follow_logs
from stack.tailing import last_lines, log_of, parts_logged


def logs(
    part: Annotated[str | None, typer.Argument(help="As the view names it: 'worker fraud'.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="So many of the last lines first.")] = 50,
) -> None:
    """Show the log of one process of the local stack, or name all; with -f and no PART, follow all."""
    if part is not None:
        path = log_of(LOGS, part)
        for text in last_lines(path, lines):
            typer.echo(text)
        paths = [path]
    else:
        paths = [log_of(LOGS, name) for name in parts_logged(LOGS)]
        if not follow or not paths:
            typer.echo("\n".join(map(str, paths)) or f"{LOGS} holds no logs: `signalbox up` writes them")
    if follow:
        named = len(paths) > 1
        with suppress(KeyboardInterrupt):
            follow_logs(paths, lambda of, text: typer.echo(f"{of.stem} | {text}" if named else text))
