"""`signalbox database`: the schema revision of the SQL store."""

from contextlib import closing

import typer

from settings import load_settings
from transport.database import Database, open_database
from transport.migration import revisions
from transport.migration import upgrade as upgrade_store

app = typer.Typer(help="The SQL store at DATABASE_URL: its schema revision.", no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Bring the store to the revision of this build, in place; make its tables if it is empty."""
    with closing(_database()) as database:
        before = upgrade_store(database)
    if before.current:
        typer.echo(f"the store is at revision {before.needed} already")
    else:
        typer.echo(f"the store is at revision {before.needed} now; it was {before.found or 'empty'}")


@app.command()
def revision() -> None:
    """Print the revision of the store, and the one that this build needs. Exit code 1 if they differ."""
    with closing(_database()) as database:
        found, needed = revisions(database)
    typer.echo(f"store: {found or 'empty'}; this build: {needed}")
    if found != needed:
        raise typer.Exit(1)


def _database() -> Database:
    return open_database(load_settings().database_url, "SQL store")
