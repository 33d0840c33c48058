"""Each store comes to the tables of this build: an empty one, an old one, one that several begin at once."""

import itertools
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, inspect, text

from events.errors import ConfigError
from features.offline import forecast_tables, spells, tables
from models import changes, run_tables
from models.support import journal_tables, spending
from transport import migration
from transport.database import Database, open_database
from transport.migrations.versions import r0001_baseline

OWNERS = (
    tables.METADATA,
    forecast_tables.METADATA,
    spells.METADATA,
    run_tables.METADATA,
    changes.METADATA,
    journal_tables.METADATA,
    spending.METADATA,
)
NEXT = '''"""A column more."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade() -> None:
    """In place."""
    with op.batch_alter_table("feature_offsets") as table:
        table.add_column(sa.Column("extra", sa.Integer(), nullable=True))
'''


@pytest.fixture
def database(offline_url: str) -> Iterator[Database]:
    """Empty."""
    with closing(open_database(offline_url, "store")) as made:
        yield made


@pytest.fixture
def next_build(tmp_path: Path) -> Path:
    """The revisions of a later build, which has one more."""
    scripts = tmp_path / "migrations"
    shutil.copytree(migration.SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (head,) = {each.stem[1:5] for each in (scripts / "versions").glob("r*.py")} - _before_the_head(scripts)
    (scripts / "versions" / "r9999_next.py").write_text(NEXT.format(head=head))
    return scripts


def _before_the_head(scripts: Path) -> set[str]:
    numbers = sorted(each.stem[1:5] for each in (scripts / "versions").glob("r*.py"))
    return set(numbers[:-1])


def made_before_revisions(database: Database, *names: str) -> None:
    """The tables of tree 844e3bb, all or those that are named, with a row."""
    metadata = r0001_baseline.METADATA
    with database.writing() as connection:
        metadata.create_all(connection, [metadata.tables[name] for name in names] if names else None)
        connection.execute(text("INSERT INTO feature_offsets VALUES (0, 'retail.events', 7, 8, 9)"))


def columns(database: Database, table: str) -> list[str]:
    """Of a table."""
    return [column["name"] for column in inspect(database.engine).get_columns(table)]


def next_offset(database: Database) -> int:
    """Of the row that was there before."""
    with database.reading() as connection:
        return int(connection.execute(text("SELECT next_offset FROM feature_offsets")).scalar_one())


# a test of BigQuery in the same run puts its own function of this name into SQLAlchemy
@pytest.mark.filterwarnings("ignore:Class unnest will not make use of SQL compilation caching")
def test_the_revisions_make_the_very_tables_that_the_code_knows(database: Database) -> None:
    migration.prepare(database)
    known = MetaData()
    for table in itertools.chain.from_iterable(owner.tables.values() for owner in OWNERS):
        table.to_metadata(known)

    def ours(_: object, name: str | None, kind: str, *__: object) -> bool:
        return not (kind == "table" and name == migration.VERSION_TABLE)

    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": True})
        assert compare_metadata(context, known) == []


@pytest.mark.parametrize(
    "there",
    [
        pytest.param((), id="all tables"),
        pytest.param(("feature_offsets", "feature_views"), id="tables of one owner"),
    ],
)
def test_a_store_from_before_revisions_is_recognised_and_keeps_its_rows(
    database: Database, there: tuple[str, ...]
) -> None:
    made_before_revisions(database, *there)
    with pytest.raises(ConfigError, match=r"at revision before revisions.*signalbox database upgrade"):
        migration.prepare(database)
    assert migration.upgrade(database).found == migration.UNNUMBERED
    migration.prepare(database)
    assert next_offset(database) == 7
    assert "agent_runs" in inspect(database.engine).get_table_names()


def test_tables_that_no_build_made_are_named_and_left_alone(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(text("CREATE TABLE forecasts (id INTEGER, mean INTEGER)"))
    with pytest.raises(ConfigError, match=r"store: forecasts: .* differs in .*created_at"):
        migration.upgrade(database)
    assert columns(database, "forecasts") == ["id", "mean"]


def test_an_old_store_is_refused_by_a_worker_and_upgraded_in_place_by_the_command(
    database: Database, next_build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migration.prepare(database)
    made_before_revisions(database)
    monkeypatch.setattr(migration, "SCRIPTS", next_build)
    for refuse in (migration.prepare, migration.check):
        with pytest.raises(ConfigError, match=r"this build needs 9999: run `signalbox database upgrade`"):
            refuse(database)
    migration.upgrade(database)
    migration.check(database)
    assert columns(database, "feature_offsets")[-1] == "extra"
    assert next_offset(database) == 7
    assert migration.upgrade(database).current, "the second time there is nothing to do"


def test_a_newer_store_is_refused(
    database: Database, next_build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as later:
        later.setattr(migration, "SCRIPTS", next_build)
        migration.upgrade(database)
    for refuse in (migration.prepare, migration.check, migration.upgrade):
        with pytest.raises(ConfigError, match=r"store is at revision 9999, this build knows up to"):
            refuse(database)


def test_a_revision_that_fails_leaves_nothing_behind(
    database: Database, next_build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migration.prepare(database)
    made_before_revisions(database)
    script = next_build / "versions" / "r9999_next.py"
    script.write_text(script.read_text() + '    raise RuntimeError("half way")\n')
    monkeypatch.setattr(migration, "SCRIPTS", next_build)
    with pytest.raises(RuntimeError, match="half way"):
        migration.upgrade(database)
    assert "extra" not in columns(database, "feature_offsets")
    assert next_offset(database) == 7


def test_several_that_begin_at_once_make_one_store(offline_url: str) -> None:
    gate = threading.Barrier(4)

    def begin(_: int) -> None:
        with closing(open_database(offline_url)) as database:
            gate.wait()
            migration.prepare(database)
            migration.check(database)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(begin, range(4)))
