"""Spending limits of a customer, of an order, and of all together."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from models.support.limits import Purse
from models.support.spending import METADATA, SPENDING, OverspentError, day_of, give_back, take
from transport.database import Database, open_database

CUSTOMER = Purse("issue_refund", "customer", "c-1", "2026-03-02", "GBP", 15_000)
EVERYBODY = Purse("issue_refund", "everybody", "", "2026-03-02", "GBP", 20_000)


def order(given: int = 0) -> Purse:
    """Of 100.00, of which so much was given back when the platform was asked."""
    return Purse("issue_refund", "order", "o-1", "", "GBP", 10_000, given)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = open_database(f"sqlite:///{tmp_path / 'agent.db'}")
    METADATA.create_all(made.engine)
    yield made
    made.close()


def spend(database: Database, amount: int, *purses: Purse, tenant: str = "acme") -> bool:
    try:
        database.write(lambda connection: take(connection, tenant, purses, amount))
    except OverspentError:
        return False
    return True


def spent(database: Database) -> dict[str, int]:
    with database.reading() as connection:
        rows = connection.execute(select(SPENDING.c.scope, SPENDING.c.spent_minor)).all()
    return {row.scope: row.spent_minor for row in rows}


@pytest.mark.parametrize(
    ("amounts", "granted"),
    [
        pytest.param([15_000], [True], id="all at once"),
        pytest.param([15_001], [False], id="too much at once"),
        pytest.param([10_000, 5_000], [True, True], id="in two, to the penny"),
        pytest.param([10_000, 5_001, 5_000], [True, False, True], id="what did not fit counts for nothing"),
    ],
)
def test_a_purse_holds_so_much_and_no_more(
    database: Database, amounts: list[int], granted: list[bool]
) -> None:
    assert [spend(database, amount, CUSTOMER) for amount in amounts] == granted


@pytest.mark.parametrize(
    "other",
    [
        Purse("send_voucher", "customer", "c-1", "2026-03-02", "GBP", 15_000),
        Purse("issue_refund", "customer", "c-2", "2026-03-02", "GBP", 15_000),
        Purse("issue_refund", "customer", "c-1", "2026-03-03", "GBP", 15_000),
        Purse("issue_refund", "customer", "c-1", "2026-03-02", "EUR", 15_000),
    ],
    ids=["another tool's", "another customer's", "another day's", "another currency's"],
)
def test_purses_are_apart(database: Database, other: Purse) -> None:
    assert spend(database, 15_000, CUSTOMER)
    assert spend(database, 15_000, other)


def test_tenants_are_apart(database: Database) -> None:
    assert spend(database, 15_000, CUSTOMER)
    assert spend(database, 15_000, CUSTOMER, tenant="globex")


def test_a_limit_that_was_lowered_holds_at_once(database: Database) -> None:
    assert spend(database, 10_000, CUSTOMER)
    lowered = Purse("issue_refund", "customer", "c-1", "2026-03-02", "GBP", 9_000)
    assert not spend(database, 1, lowered)


def test_all_purses_are_taken_from_or_none(database: Database) -> None:
    assert spend(database, 12_000, CUSTOMER, EVERYBODY)
    other = Purse("issue_refund", "customer", "c-2", "2026-03-02", "GBP", 15_000)
    assert not spend(database, 12_000, other, EVERYBODY)
    assert spent(database) == {"customer": 12_000, "everybody": 12_000}


def test_what_the_platform_refused_may_be_spent_again(database: Database) -> None:
    assert spend(database, 15_000, CUSTOMER)
    database.write(lambda connection: give_back(connection, "acme", [CUSTOMER], 15_000))
    assert spend(database, 15_000, CUSTOMER)


@pytest.mark.parametrize(
    ("takes", "granted"),
    [
        pytest.param([(4_000, 6_000)], [True], id="all that a person left"),
        pytest.param([(4_000, 6_001)], [False], id="a penny more than a person left"),
        pytest.param([(4_000, 5_000), (4_000, 5_000)], [True, False], id="two who saw the same"),
        pytest.param([(4_000, 5_000), (9_000, 1_000)], [True, True], id="the first is not counted twice"),
        pytest.param([(0, 2_000), (6_000, 4_001)], [True, False], id="a person gave after the first"),
        pytest.param([(0, 2_000), (6_000, 4_000), (6_000, 1)], [True, True, False], id="to the penny"),
    ],
)
def test_what_people_gave_back_of_an_order_counts_as_spent(
    database: Database, takes: list[tuple[int, int]], granted: list[bool]
) -> None:
    assert [spend(database, amount, order(given)) for given, amount in takes] == granted


def test_two_tickets_of_one_order_at_once_leave_people_what_they_gave(database: Database) -> None:
    with ThreadPoolExecutor(2) as threads:
        granted = list(threads.map(lambda _: spend(database, 5_000, order(4_000)), range(2)))
    assert sorted(granted) == [False, True]
    assert spent(database) == {"order": 9_000}


def test_many_at_once_take_no_more_than_there_is(database: Database) -> None:
    with ThreadPoolExecutor(8) as threads:
        granted = list(threads.map(lambda _: spend(database, 1_000, CUSTOMER, EVERYBODY), range(40)))
    assert granted.count(True) == 15
    assert spent(database) == {"customer": 15_000, "everybody": 15_000}


def test_the_day_is_the_shops() -> None:
    midnight = 1_772_409_600_000  # 2026-03-02T00:00:00Z
    assert day_of(midnight, ZoneInfo("UTC")) == "2026-03-02"
    assert day_of(midnight, ZoneInfo("America/New_York")) == "2026-03-01"
