"""Moving an alias of the model registry from a command, and reporting which processes serve the version."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from events.errors import ConfigError, Problem, Unavailable
from models.changes import Changes
from models.promoting import Promoting
from models.registry import ALIASES, NAME, Registry
from models.reports import connect_reports
from models.telling import change_told
from models.waiting import await_served
from models.written import Change
from routing import nearest
from settings import load_settings
from transport.database import open_database

CHAMPION = "champion"
WAIT_S = 10.0


@contextmanager
def promoting() -> Iterator[tuple[Promoting, Changes]]:
    """The registry's aliases, and what is written down of them."""
    settings = load_settings()
    database = open_database(settings.database_url)
    try:
        changes = Changes(database)
        changes.create()
        yield Promoting(Registry(settings.registry_url), changes), changes
    finally:
        database.close()


def settle(desk: Promoting, model: str, alias: str) -> None:
    """Write down what happened meanwhile. If the registry is away the history is shown without."""
    try:
        desk.settle(model, alias)
    except Unavailable as error:
        if error.dependency != NAME:
            raise
        typer.echo(f"what others moved lately is not known: {error}", err=True)


def checked(alias: str) -> str:
    """The alias. Raises `ConfigError` if it is none."""
    if alias not in ALIASES:
        raise ConfigError([Problem("models", 0, alias, f"is no alias{nearest(alias, ALIASES)}")])
    return alias


def tell(change: Change, wait: float) -> None:
    """Say what was done; and, of a champion, which processes serve it within `wait` seconds."""
    typer.echo(change_told(change))
    if change.alias != CHAMPION or not wait:
        return
    reports = connect_reports(load_settings().redis_url)
    took = await_served(lambda: reports.read(change.model), change.digest, wait)
    typer.echo(took.told)
    if not took.all:
        raise typer.Exit(1)
