"""`signalbox deadletters`: list, show and replay dead letters."""

from typing import Annotated

import typer

from commands.deadletters_report import Wanted, account, grid, print_grid
from commands.deadletters_topics import read, write
from routing import load
from settings import load_settings
from transport.clock import system_clock

app = typer.Typer(help="Look at dead letters, and replay them once the cause is gone.", no_args_is_help=True)

HOUR_MS = 3_600_000

QueueOption = Annotated[str | None, typer.Option(help="Only those of this queue; `router`: those of none.")]
CauseOption = Annotated[str | None, typer.Option(help="Only those of this cause, such as invalid_payload.")]
FingerprintOption = Annotated[str | None, typer.Option(help="Only failures like these; `list` shows it.")]
SinceOption = Annotated[float | None, typer.Option(min=0, help="Only those of the last hours.")]


@app.command("list")
def list_(
    queue: QueueOption = None,
    cause: CauseOption = None,
    fingerprint: FingerprintOption = None,
    since_hours: SinceOption = None,
) -> None:
    """Like failures in one line each: how many, since when, and how many of them were replayed."""
    print_grid(grid(read(_wanted(queue, cause, fingerprint, since_hours))))


@app.command()
def show(
    position: Annotated[str, typer.Argument(help="Where it stands, such as 'ml.fraud.input.dlq[0]@17'.")],
) -> None:
    """One letter: what is said of it, and the original. Exit code 1 if there is none."""
    letters = read(Wanted())
    for letter in letters.all:
        if str(letter.position) == position:
            for line in account(letter, letters.replays.get(letter.position)):
                typer.echo(line)
            return
    typer.echo(f"no dead letter stands at {position}")
    raise typer.Exit(1)


@app.command()
def replay(
    reason: Annotated[str, typer.Option(help="What has changed since; written down with each replay.")],
    queue: QueueOption = None,
    cause: CauseOption = None,
    fingerprint: FingerprintOption = None,
    since_hours: SinceOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Without any of the choices above.")] = False,
    again: Annotated[bool, typer.Option(help="Those too that were replayed before.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be written.")] = False,
) -> None:
    """Give letters another chance, each in the one workflow that gave it up, under the id that it has.

    Exit code 1 if one of them cannot be replayed.
    """
    wanted = _wanted(queue, cause, fingerprint, since_hours)
    if wanted == Wanted() and not everything:
        raise typer.BadParameter("say which: --queue, --cause, --fingerprint, --since-hours, or --all")
    letters = read(wanted)
    refused = False
    for line, failed in write(letters.all if again else letters.waiting, reason, dry_run):
        refused = refused or failed
        typer.echo(line)
    raise typer.Exit(1 if refused else 0)


def _wanted(queue: str | None, cause: str | None, fingerprint: str | None, hours: float | None) -> Wanted:
    settings = load_settings()
    queues = load(settings.routing_table, settings.workflows).catalogue.queues
    since = None if hours is None else system_clock() - int(hours * HOUR_MS)
    return Wanted.of(queue, cause, fingerprint, since, queues)
