"""Fraud training data: the time-based split, and the features as of each transaction."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from events.errors import ConfigError, Problem
from features.contract import Contract
from features.retail import LABEL_DELAY_DAYS
from models.fraud_matrix import rows_of
from training.stored import Floats, Stored
from training.transactions import Ints, Places, Transactions, day_number

TRAIN_DAYS = 28
TEST_DAYS = 7


@dataclass(frozen=True, slots=True)
class Days:
    """From the beginning of `first` to the end of `last`, UTC."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


@dataclass(frozen=True, slots=True)
class Split:
    """Fitted on `train`, measured on `test`; between them the days whose labels were not known yet."""

    train: Days
    test: Days

    @classmethod
    def before(cls, until: date, train_days: int = TRAIN_DAYS, test_days: int = TEST_DAYS) -> "Split":
        """The latest split that looks at nothing from `until` on."""
        test = Days(until - timedelta(days=test_days), until - timedelta(days=1))
        train_end = test.first - timedelta(days=LABEL_DELAY_DAYS)
        return cls(Days(train_end - timedelta(days=train_days), train_end - timedelta(days=1)), test)


def check_reach(split: Split, transactions: Transactions, source: str) -> None:
    """Raises `ConfigError` if the transactions do not reach over the whole split."""
    first, last = transactions.first_day, transactions.last_day
    if first > split.train.first or last < split.test.last:
        raise ConfigError(
            [
                Problem(
                    source,
                    0,
                    "",
                    f"holds {first} to {last}; training takes {split.train.first} to {split.test.last}: "
                    "choose another --until, or fewer --train-days",
                )
            ]
        )


def check_labels(days: Days, labels: Ints, source: str) -> None:
    """Raises `ConfigError` if nothing can be learned of these labels, or measured by them."""
    if labels.sum() in (0, len(labels)):
        found = f"{len(labels)} orders to go by, {int(labels.sum())} of them fraud"
        raise ConfigError([Problem(source, 0, "tx_fraud", f"{days}: {found}; both kinds are needed")])


def within(days: Days, transactions: Transactions) -> Places:
    """The places of the transactions of these days."""
    return np.arange(*np.searchsorted(transactions.days, [day_number(days.first), day_number(days.last) + 1]))


def measured_places(split: Split, transactions: Transactions) -> Places:
    """The transactions of the test days, without those of customers already known to be compromised.

    As in the handbook: a customer is known once a fraud of theirs lies in the training days, or
    `LABEL_DELAY_DAYS` before the day at hand. Catching those again would be no merit.
    """
    days, customers = transactions.days, transactions.customers.codes
    fraud = transactions.fraud == 1
    known = np.zeros(len(transactions.customers.ids), dtype=bool)
    known[
        customers[(days <= day_number(split.train.last)) & (days >= day_number(split.train.first)) & fraud]
    ] = True
    kept = []
    for day in range(day_number(split.test.first), day_number(split.test.last) + 1):
        known[customers[(days == day - LABEL_DELAY_DAYS - 1) & fraud]] = True
        kept.append(np.flatnonzero((days == day) & ~known[customers]))
    return np.concatenate(kept)


def matrix(contract: Contract, transactions: Transactions, places: Places, stored: Stored) -> Floats:
    """One row of `contract.names` for each place: what was known when that order arrived.

    Raises what `stored` does.
    """
    amounts = transactions.amount_cents[places] / 100
    values = stored(contract.stored, transactions, places)
    return rows_of(contract, amounts, transactions.time[places], values)
