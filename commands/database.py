"""`signalbox database`: the schema revision of the SQL store."""

from contextlib import closing
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from transport.database import Database

app = typer.Typer(help="The SQL store at DATABASE_URL: its schema revision.", no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Bring the store to the revision of this build, in place; make its tables if it is empty."""
    from transport.migration import upgrade

    with closing(_database()) as database:
        before = upgrade(database)
    if before.current:
        typer.echo(f"the store is at revision {before.needed} already")
    else:
        typer.echo(f"the store is at revision {before.needed} now; it was {before.found or 'empty'}")


@app.command()
def revision() -> None:
    """Print the revision of the store, and the one that this build needs. Exit code 1 if they differ."""
    from transport.migration import revisions

    with closing(_database()) as database:
        found, needed = revisions(database)
    typer.echo(f"store: {found or 'empty'}; this build: {needed}")
    if found != needed:
        raise typer.Exit(1)


def _database() -> "Database":
    from settings import load_settings
    from transport.database import open_database

    return open_database(load_settings().database_url, "SQL store")
