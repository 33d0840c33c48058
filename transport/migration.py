"""Schema revisions of the SQL store, by Alembic: an old store is upgraded in place, a newer one is refused.

A process sets up an empty store by itself. Everything else is done by `signalbox database upgrade`.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import Connection, inspect

from events.errors import ConfigError, Problem
from transport.database import Database
from transport.sql_limits import Limits

if TYPE_CHECKING:
    from alembic.config import Config

SCRIPTS = Path(__file__).parent / "migrations"
VERSION_TABLE: Final = "signalbox_revision"
"""Alembic's own name for it is taken if MLflow keeps its tables in the same database."""
UNNUMBERED: Final = "before revisions"
"""The revision of a store that has tables, and was made before revisions existed."""
WRITABLE: Final = frozenset({"sqlite", "postgresql"})
MIGRATING = Limits(statement_s=3_600.0, lock_s=10.0, idle_s=3_600.0)
"""A change that waits for its lock holds up every reader behind it: it waits for a short time only."""


class Revisions(NamedTuple):
    """The revision of a store (None: it is empty), and the one that this build needs."""

    found: str | None
    needed: str

    @property
    def current(self) -> bool:
        """Whether the store is as this build needs it."""
        return self.found == self.needed


def revisions(database: Database) -> Revisions:
    """What a store is at. Raises `ConfigError` if it is newer than this build, and `Unavailable`."""
    with database.reading() as connection:
        return _revisions(database, connection)


def check(database: Database) -> None:
    """Raises `ConfigError` unless a store is as this build needs it, or empty; `Unavailable` as well."""
    _refuse_another(database, revisions(database))


def prepare(database: Database) -> None:
    """Set up a store that is empty, and check any other as `check` does. Many may do so at once.

    Raises `ConfigError` too if the database enforces no keys: what is written twice would count twice.
    """
    dialect = database.engine.dialect.name
    if dialect not in WRITABLE:
        way_out = "read the past from it, and point DATABASE_URL to PostgreSQL for what is written"
        raise _refused(database, f"{dialect} enforces no keys, so a repeat would count twice: {way_out}")
    there = revisions(database)
    if there.found is None:
        with database.within(MIGRATING).creating() as connection:
            if _revisions(database, connection).found is None:
                _run(connection)
            there = _revisions(database, connection)
    _refuse_another(database, there)


def upgrade(database: Database) -> Revisions:
    """Bring a store to the revision of this build; what it was at before. Many may do so at once.

    Raises `ConfigError` if it is newer, or if its tables are not those that any build made; `Unavailable`.
    """
    with database.within(MIGRATING).creating() as connection:
        before = _revisions(database, connection)
        if before.found == UNNUMBERED and (unlike := list(_unlike(connection))):
            raise ConfigError(Problem(database.owner, 0, name, problem) for name, problem in unlike)
        if not before.current:
            _run(connection)
    return before


def _revisions(database: Database, connection: Connection) -> Revisions:
    # it tells of its plug-ins at each start of a worker
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic.runtime.migration import MigrationContext  # 0.2 s, for those who open a store
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_config())
    needed = scripts.get_current_head() or ""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    found = context.get_current_revision()
    if found is None:
        return Revisions(UNNUMBERED if _baseline_tables(connection) else None, needed)
    if found not in {script.revision for script in scripts.walk_revisions()}:
        problem = (
            f"the store is at revision {found}, this build knows up to {needed}: run a build that knows it"
        )
        raise _refused(database, problem)
    return Revisions(found, needed)


def _run(connection: Connection) -> None:
    from alembic import command

    config = _config()
    config.attributes.update(connection=connection, version_table=VERSION_TABLE)
    command.upgrade(config, "head")


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config


def _baseline_tables(connection: Connection) -> list[str]:
    from transport.migrations.versions.r0001_baseline import METADATA

    there = inspect(connection).get_table_names()
    return [name for name in METADATA.tables if name in there]


def _unlike(connection: Connection) -> Iterator[tuple[str, str]]:
    """Each table whose columns are not those of the baseline, and in what they differ."""
    from transport.migrations.versions.r0001_baseline import METADATA

    inspector = inspect(connection)
    for name in _baseline_tables(connection):
        there = {column["name"] for column in inspector.get_columns(name)}
        known = set(METADATA.tables[name].columns.keys())
        if there != known:
            columns = ", ".join(sorted(there ^ known))
            yield name, f"was not made by a build of Signalbox: it differs in {columns}"


def _refuse_another(database: Database, there: Revisions) -> None:
    if there.found not in (None, there.needed):
        way_out = "run `signalbox database upgrade`"
        problem = f"the store is at revision {there.found}, this build needs {there.needed}: {way_out}"
        raise _refused(database, problem)


def _refused(database: Database, problem: str) -> ConfigError:
    return ConfigError([Problem(database.owner, 0, "", problem)])
