"""What outside does to a database is an outage, what a record's values do is its own, no wait is long."""

import logging
import signal
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, make_url, select, text

from events.errors import Unavailable
from tests import services
from tests.integration.postgresql import own_postgresql
from transport.database import Database, UnstorableError, open_database
from transport.sql_limits import Limits

METADATA = MetaData()
THINGS = Table("things", METADATA, Column("id", Integer, primary_key=True), Column("name", String(8)))
QUICK = Limits(statement_s=0.3, lock_s=0.2)


@pytest.fixture
def database(offline_url: str) -> Iterator[Database]:
    """A table with a row."""
    with closing(open_database(offline_url, "store of things")) as made:
        with made.writing() as connection:
            METADATA.create_all(connection)
            connection.execute(insert(THINGS).values(id=1, name="first"))
        yield made


@pytest.fixture
def on_postgresql(database: Database) -> Database:
    """The same, on PostgreSQL alone."""
    if database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite knows neither roles nor locks of tables")
    return database


def add(database: Database, name: str, number: int = 2) -> None:
    """Write a row."""
    database.write(lambda connection: connection.execute(insert(THINGS).values(id=number, name=name)))


def names(database: Database) -> list[str]:
    """All of them."""
    with database.reading() as connection:
        return list(connection.scalars(select(THINGS.c.name).order_by(THINGS.c.id)))


def run(database: Database, statement: str) -> None:
    """As an administrator."""
    with database.engine.begin() as connection:
        connection.execute(text(statement))


def test_a_read_only_database_is_an_outage(on_postgresql: Database) -> None:
    read_only = on_postgresql.engine.url.update_query_dict(
        {"options": f"{on_postgresql.engine.url.query['options']} -cdefault_transaction_read_only=on"}
    )
    with closing(open_database(read_only.render_as_string(hide_password=False), "journal")) as database:
        with pytest.raises(Unavailable, match=r"journal is unavailable: .*read-only.*25006"):
            add(database, "x")
        assert names(database) == ["first"]


def test_a_locked_table_costs_the_limit_and_no_more(on_postgresql: Database) -> None:
    with on_postgresql.engine.begin() as connection:
        connection.execute(text("LOCK TABLE things IN ACCESS EXCLUSIVE MODE"))
        began = time.monotonic()
        with pytest.raises(Unavailable, match="55P03"):
            names(on_postgresql.within(QUICK))
        assert time.monotonic() - began < 5
    assert names(on_postgresql.within(QUICK)) == ["first"], "the connection is as good as before"


def test_a_slow_statement_costs_the_limit_and_no_more(on_postgresql: Database) -> None:
    with pytest.raises(Unavailable, match="57014"), on_postgresql.within(QUICK).reading() as connection:
        connection.execute(text("SELECT pg_sleep(30)"))


def test_limits_end_with_their_transaction(on_postgresql: Database) -> None:
    names(on_postgresql.within(QUICK))
    with on_postgresql.engine.connect() as connection:
        assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "0"


def test_a_column_that_is_missing_is_an_outage(on_postgresql: Database) -> None:
    run(on_postgresql, "ALTER TABLE things RENAME COLUMN name TO label")
    with pytest.raises(Unavailable, match="42703"):
        add(on_postgresql, "x")
    run(on_postgresql, "ALTER TABLE things RENAME COLUMN label TO name")
    add(on_postgresql, "x")


def test_a_table_that_is_missing_is_an_outage(database: Database) -> None:
    METADATA.drop_all(database.engine)
    with pytest.raises(Unavailable, match="things"):
        names(database)


def test_a_privilege_that_was_revoked_is_an_outage(on_postgresql: Database) -> None:
    role = services.unique_name("reader").replace(".", "_").replace("-", "_")
    with on_postgresql.engine.connect() as connection:
        schema = connection.execute(text("SELECT current_schema()")).scalar_one()
    run(on_postgresql, f'CREATE ROLE "{role}" LOGIN')
    try:
        run(on_postgresql, f'GRANT USAGE ON SCHEMA {schema} TO "{role}"')
        url = on_postgresql.engine.url.set(username=role)
        with closing(open_database(url.render_as_string(hide_password=False), "ledger")) as database:
            with pytest.raises(Unavailable, match=r"ledger is unavailable: permission denied.*42501"):
                names(database)
            run(on_postgresql, f'GRANT SELECT ON things TO "{role}"')
            assert names(database) == ["first"]
    finally:
        run(on_postgresql, f'DROP OWNED BY "{role}"')
        run(on_postgresql, f'DROP ROLE "{role}"')


def test_a_connection_that_the_server_ended_costs_one_try(on_postgresql: Database) -> None:
    url = on_postgresql.engine.url.update_query_dict({"application_name": "ended"})
    with closing(open_database(url.render_as_string(hide_password=False))) as other:
        assert names(other) == ["first"]
        run(
            on_postgresql,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'ended' AND datname = current_database()",
        )
        with suppress(Unavailable):
            names(other)
        assert names(other) == ["first"]


@pytest.mark.parametrize(
    ("number", "name"),
    [
        pytest.param(2, "a\x00b", id="text with NUL"),
        pytest.param(2, "longer than 8", id="text that is too long"),
        pytest.param(2**40, "x", id="a number that is too large"),
        pytest.param(2, "\ud800", id="half of a surrogate pair"),
    ],
)
def test_a_value_that_cannot_be_stored_is_its_records_fault(
    on_postgresql: Database, number: int, name: str
) -> None:
    with pytest.raises(UnstorableError) as raised:
        add(on_postgresql, name, number)
    assert name not in str(raised.value)
    assert str(number) not in str(raised.value) or number == 2
    add(on_postgresql, "good")


def test_no_log_has_the_values_of_a_statement(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    def again() -> None:
        with database.writing() as connection:
            connection.execute(insert(THINGS).values(id=1, name="T-secret"))

    try:
        again()
    except Unavailable:
        logging.getLogger("test").exception("written down with its traceback")
    assert "written down" in caplog.text
    assert "T-secret" not in caplog.text
    assert "=(1)" not in caplog.text, "PostgreSQL's DETAIL names the key"


def test_a_server_that_is_frozen_costs_the_limit_and_no_more() -> None:
    with own_postgresql() as server:
        url = make_url(server.url).render_as_string(hide_password=False)
        with closing(open_database(url, "offline feature store", QUICK)) as database:
            METADATA.create_all(database.engine)
            assert names(database) == []
            server.send(signal.SIGSTOP)
            began = time.monotonic()
            with pytest.raises(Unavailable, match=r"offline feature store is unavailable: no answer"):
                names(database)
            assert time.monotonic() - began < 10
            server.send(signal.SIGCONT)
            add(database, "good")
            assert names(database) == ["good"]
