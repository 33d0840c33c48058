"""`signalbox models`: list versions, promote one, roll back, show the history of the aliases."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from commands.moving import CHAMPION, WAIT_S, checked, promoting, settle, tell
from events.errors import ConfigError, Problem
from models.promoting import read_whole
from models.registry import ALIASES, Registry
from models.reports import connect_reports
from models.telling import change_told, reports_told, version_told, versions_table
from models.who import who
from settings import load_settings

app = typer.Typer(help="The model registry: versions, aliases, and who moved them.", no_args_is_help=True)

MODEL = Annotated[str, typer.Argument(help="As in the registry: fraud-classifier")]
ALIAS = Annotated[str, typer.Option(help="champion, challenger or shadow.")]
WHY = Annotated[str, typer.Option(help="For whoever reads the history.", prompt=True)]
WAIT = Annotated[float, typer.Option(help="Seconds to wait for all workers to serve it; 0 does not.", min=0)]


@app.callback()
def models() -> None:
    """The model registry: versions, aliases, and who moved them."""


@app.command(name="list")
def list_models(model: Annotated[str | None, typer.Argument(help="One of them.")] = None) -> None:
    """Every registered version, and what the aliases name."""
    registry = Registry(load_settings().registry_url)
    names = [model] if model else registry.models()
    found = [(name, registry.versions(name), registry.aliases(name)) for name in names]
    Console(highlight=False).print(versions_table(found))


@app.command()
def show(
    model: MODEL,
    version: Annotated[str, typer.Argument(help="A number, or an alias.")] = CHAMPION,
) -> None:
    """All that a version says of itself, and which processes serve it or another one."""
    settings = load_settings()
    registry = Registry(settings.registry_url)
    number = version
    if version in ALIASES:
        pointed = registry.pointed(model, version)
        if pointed is None:
            raise ConfigError([Problem("registry", 0, model, f"no version is {version}: see `models list`")])
        number = pointed.number
    for line in version_told(model, number, read_whole(registry, model, number)):
        typer.echo(line)
    for line in reports_told(connect_reports(settings.redis_url).read(model)):
        typer.echo(line)


@app.command()
def promote(
    model: MODEL,
    version: Annotated[str, typer.Argument(help="Its number.")],
    why: WHY,
    alias: ALIAS = CHAMPION,
    wait: WAIT = WAIT_S,
) -> None:
    """Let an alias name a version; workers take a new champion within seconds."""
    with promoting() as (desk, _):
        change = desk.move(model, checked(alias), version.removeprefix("v"), who(), why)
    tell(change, wait)


@app.command()
def rollback(model: MODEL, why: WHY, alias: ALIAS = CHAMPION, wait: WAIT = WAIT_S) -> None:
    """Let an alias name again what it named before its last change."""
    with promoting() as (desk, _):
        change = desk.roll_back(model, checked(alias), who(), why)
    tell(change, wait)


@app.command()
def history(
    model: MODEL,
    at: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"],
            help="Which version an alias named then, UTC.",
        ),
    ] = None,
    alias: ALIAS = CHAMPION,
) -> None:
    """Who let an alias name which version, when and why; with --at, which one it named at a moment."""
    with promoting() as (desk, changes):
        settle(desk, model, checked(alias))
        if at is None:
            for change in changes.all(model):
                typer.echo(change_told(change))
            return
        moment = int(at.replace(tzinfo=UTC).timestamp() * 1_000)
        written = changes.written(model, alias)
    found, doubted = written.in_force(moment), written.in_doubt(moment)
    typer.echo(change_told(found) if found else f"{model}: nothing was {alias} by then")
    if doubted is not None:
        typer.echo(f"by then perhaps already: {change_told(doubted)}")
