"""The orders to fit on, and the orders to measure on."""

from datetime import date

import numpy as np
import pytest

from events.errors import ConfigError
from training.dataset import Days, Split, check_labels, check_reach, measured_places, within
from training.transactions import DAY_S, Transaction, day_number, from_rows

SPLIT = Split.before(date(2018, 7, 16), train_days=7)


def order(day: str, customer: str, fraud: bool = False) -> Transaction:
    return Transaction(day_number(date.fromisoformat(day)) * DAY_S + 3_600, customer, "t", 1_000, fraud)


def test_the_split_is_the_handbooks() -> None:
    assert SPLIT.train == Days(date(2018, 6, 25), date(2018, 7, 1))
    assert SPLIT.test == Days(date(2018, 7, 9), date(2018, 7, 15))


def test_days_reach_from_the_first_midnight_to_the_last() -> None:
    transactions = from_rows(
        [
            Transaction(day_number(date(2018, 6, 25)) * DAY_S - 1, "before", "t", 1, False),
            Transaction(day_number(date(2018, 6, 25)) * DAY_S, "first", "t", 1, False),
            Transaction(day_number(date(2018, 7, 2)) * DAY_S - 1, "last", "t", 1, False),
            Transaction(day_number(date(2018, 7, 2)) * DAY_S, "after", "t", 1, False),
        ]
    )
    names = [
        transactions.customers.ids[transactions.customers.codes[p]] for p in within(SPLIT.train, transactions)
    ]
    assert names == ["first", "last"]


@pytest.mark.parametrize(
    ("fraud_on", "measured"),
    [
        pytest.param("2018-06-24", True, id="before the training days: not known to the handbook"),
        pytest.param("2018-06-25", False, id="on the first day of training"),
        pytest.param("2018-07-01", False, id="on the last day of training"),
        pytest.param("2018-07-02", False, id="eight days before the order, and so known"),
        pytest.param("2018-07-03", True, id="seven days before the order, and not known yet"),
    ],
)
def test_a_customer_known_to_be_compromised_is_not_measured(fraud_on: str, measured: bool) -> None:
    transactions = from_rows([order(fraud_on, "c", fraud=True), order("2018-07-10", "c")])
    assert measured_places(SPLIT, transactions).tolist() == ([1] if measured else [])


def test_another_customers_fraud_takes_nobody_else_out() -> None:
    transactions = from_rows([order("2018-06-26", "other", fraud=True), order("2018-07-10", "c")])
    assert measured_places(SPLIT, transactions).tolist() == [1]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        pytest.param("2018-06-26", "2018-07-15", id="the training days begin before the data"),
        pytest.param("2018-06-25", "2018-07-14", id="the last test day is not there"),
    ],
)
def test_data_that_does_not_reach_over_the_split_is_refused(first: str, last: str) -> None:
    with pytest.raises(ConfigError) as failure:
        check_reach(SPLIT, from_rows([order(first, "c"), order(last, "c")]), "cards.parquet")
    assert str(failure.value) == (
        f"cards.parquet: holds {first} to {last}; training takes 2018-06-25 to 2018-07-15: "
        "choose another --until, or fewer --train-days"
    )


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param([0, 0], id="no fraud"),
        pytest.param([1], id="only fraud"),
        pytest.param([], id="no orders"),
    ],
)
def test_labels_of_one_kind_teach_nothing(labels: list[int]) -> None:
    with pytest.raises(ConfigError, match="both kinds are needed"):
        check_labels(SPLIT.train, np.array(labels, dtype=np.int64), "cards.parquet")
