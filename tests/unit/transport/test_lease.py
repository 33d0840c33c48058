"""One holder at a time, by its token; and no error ends the renewals but that a lease was lost."""

import logging
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Column, MetaData, String, Table

from events.errors import Unavailable
from transport.database import Database, open_database
from transport.lease import Held, Lease, LeaseLostError, Leases, Renewals

METADATA = MetaData()
TABLE = Table(
    "leases",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("thing", String, primary_key=True),
    Column("token", BigInteger, nullable=False),
    Column("holder", String, nullable=False),
    Column("until", BigInteger, nullable=False),
)
LEASES = Leases(TABLE, 15_000, "thing {1} of {0}", "another worker took over")
KEY = ("acme", "t-1")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(open_database(f"sqlite:///{tmp_path / 'leases.db'}")) as made:
        METADATA.create_all(made.engine)
        yield made


def take(database: Database, holder: str, now: int) -> Lease | Held:
    return database.write(lambda connection: LEASES.take(connection, KEY, holder, now))


def hold(database: Database, lease: Lease | Held, until: int) -> None:
    assert isinstance(lease, Lease)
    database.write(lambda connection: LEASES.hold(connection, lease, until))


def test_a_lease_is_one_holders_until_it_runs_out_and_each_taking_has_a_higher_token(
    database: Database,
) -> None:
    assert take(database, "one", 0) == Lease(KEY, 1)
    assert take(database, "two", 14_999) == Held("one", 15_000)
    assert take(database, "two", 15_000) == Lease(KEY, 2)


def test_who_lost_a_lease_learns_of_what_and_why(database: Database) -> None:
    first = take(database, "one", 0)
    take(database, "two", 15_000)
    lost = "thing t-1 of acme: lease lost: not renewed for 15 s, another worker took over"
    with pytest.raises(LeaseLostError, match=lost):
        hold(database, first, 30_000)


def test_a_lease_that_was_let_go_is_free_at_once_and_is_not_renewed(database: Database) -> None:
    first = take(database, "one", 0)
    hold(database, first, 0)
    assert isinstance(first, Lease)
    database.write(lambda connection: LEASES.renew(connection, [first], 20_000))
    assert take(database, "two", 1) == Lease(KEY, 2)


class Failing:
    """Fails so many times, each time with the next of these errors, and then renews."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.renewed = 0

    def __call__(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.renewed += 1


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(Unavailable("journal"), id="an outage"),
        pytest.param(ValueError("a bug"), id="an error that nobody expected"),
        pytest.param(RuntimeError("can't start new thread"), id="a process that is short of memory"),
    ],
)
def test_no_error_ends_the_renewals(error: Exception) -> None:
    renew = Failing(error)
    renewals = Renewals(renew, 15_000, 5.0)
    assert renewals.once()
    assert renewals.once()
    assert renew.renewed == 1


def test_a_lost_lease_ends_them() -> None:
    assert not Renewals(Failing(LeaseLostError("lost")), 15_000, 5.0).once()


@pytest.mark.parametrize(
    ("silent_s", "level"),
    [
        pytest.param(14, logging.WARNING, id="it has not run out yet"),
        pytest.param(15, logging.ERROR, id="it has run out"),
    ],
)
def test_a_log_tells_a_lease_that_is_not_renewed_from_one_that_ran_out(
    silent_s: int, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    now = [100.0]
    renewals = Renewals(Failing(Unavailable("journal")), 15_000, 5.0, lambda: now[0])
    now[0] += silent_s
    assert renewals.once()
    assert [record.levelno for record in caplog.records] == [level]
    assert f"not renewed for {silent_s} s" in caplog.text


def test_the_thread_goes_on_after_an_error_until_it_is_stopped() -> None:
    done = threading.Event()

    class Once(Failing):
        def __call__(self) -> None:
            super().__call__()
            done.set()

    renewals = Renewals(Once(ValueError("a bug"), Unavailable("journal")), 15_000, 0.001)
    renewals.start()
    assert done.wait(30)
    renewals.stop()
    renewals.stop()
