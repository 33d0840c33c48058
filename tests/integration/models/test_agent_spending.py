"""Tickets resolved at the same moment exceed no spending limit."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from models.support.limits import Purse
from models.support.spending import METADATA, SPENDING, OverspentError, give_back, take
from transport.database import Database, open_database

THREADS = 8
TICKETS = 80
AMOUNT = 1_000
CUSTOMERS = 4


@pytest.fixture
def database(offline_url: str) -> Iterator[Database]:
    made = open_database(offline_url)
    with made.creating() as connection:
        METADATA.create_all(connection)
    yield made
    made.close()


def purses(ticket: int) -> list[Purse]:
    """Of one of four customers, and of everybody; every other ticket names them the other way round."""
    customer = f"c-{ticket % CUSTOMERS}"
    named = [
        Purse("issue_refund", "customer", customer, "2026-03-02", "GBP", 8 * AMOUNT),
        Purse("issue_refund", "everybody", "", "2026-03-02", "GBP", 25 * AMOUNT),
    ]
    return named if ticket % 2 else named[::-1]


def spend(database: Database, ticket: int) -> bool:
    try:
        database.write(lambda connection: take(connection, "acme", purses(ticket), AMOUNT))
    except OverspentError:
        return False
    return True


def test_many_tickets_at_once_take_all_that_there_is_and_no_more(database: Database) -> None:
    with ThreadPoolExecutor(THREADS) as threads:
        granted = list(threads.map(lambda ticket: spend(database, ticket), range(TICKETS)))
    with database.reading() as connection:
        rows = connection.execute(select(SPENDING.c.scope, SPENDING.c.spent_minor)).all()
    everybody = [row.spent_minor for row in rows if row.scope == "everybody"]
    customers = [row.spent_minor for row in rows if row.scope == "customer"]
    assert everybody == [25 * AMOUNT]
    assert granted.count(True) == 25
    assert sum(customers) == 25 * AMOUNT
    assert max(customers) <= 8 * AMOUNT


def test_of_an_order_that_people_refunded_in_part_the_rest_is_given_once(database: Database) -> None:
    order = Purse("issue_refund", "order", "o-1", "", "GBP", 10 * AMOUNT, 4 * AMOUNT)

    def refund(_: int) -> bool:
        try:
            database.write(lambda connection: take(connection, "acme", [order], 5 * AMOUNT))
        except OverspentError:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        granted = list(threads.map(refund, range(2)))
    with database.reading() as connection:
        left = connection.scalars(select(SPENDING.c.spent_minor)).all()
    assert (sorted(granted), left) == ([False, True], [9 * AMOUNT])


def test_what_was_given_back_may_be_taken_again(database: Database) -> None:
    granted = [spend(database, ticket) for ticket in range(0, 40, CUSTOMERS)]
    assert granted == [True] * 8 + [False] * 2
    database.write(lambda connection: give_back(connection, "acme", purses(0), AMOUNT))
    assert [spend(database, 0), spend(database, 0)] == [True, False]
