"""What was known of an entity at a moment? Counts and sums over windows of its past, for many at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.definitions import CUSTOMER, DEFAULT, TERMINAL, WINDOWED, Windowed
from training.transactions import DAY_S, Entities, Ints, Transactions

_SPAN = 1 << 40
"""More seconds than any data covers: entity and time make one ordered number."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Past:
    """The transactions of one kind of entity by (entity, time), and the running sum of a column of theirs."""

    keys: Ints
    sums: Ints

    def over(self, codes: Ints, times: Ints, feature: Windowed) -> tuple[Ints, Ints]:
        """How many transactions each entity had in the feature's window before each time, and their sum.

        The window is `[t - delay - days, t - delay)`: nothing of the very second of `t` is in it.
        """
        ends = codes * _SPAN + times - feature.delay_days * DAY_S
        last = np.searchsorted(self.keys, ends)
        first = np.searchsorted(self.keys, ends - feature.days * DAY_S)
        return last - first, self.sums[last] - self.sums[first]


def past_of(entities: Entities, times: Ints, column: Ints) -> Past:
    """The past of all `entities`, with `column` to be summed."""
    keys = entities.codes * _SPAN + times
    order = np.argsort(keys, kind="stable")
    return Past(keys[order], np.concatenate([[0], np.cumsum(column[order])]))


@dataclass(frozen=True, slots=True)
class Pasts:
    """Both pasts of a set of transactions: what customers paid, and which terminals saw fraud."""

    customer: Past
    terminal: Past

    @classmethod
    def of(cls, transactions: Transactions) -> "Pasts":
        """All that these transactions tell."""
        return cls(
            past_of(transactions.customers, transactions.time, transactions.amount_cents),
            past_of(transactions.terminals, transactions.time, transactions.fraud),
        )

    def values(self, entity: str, codes: Ints, times: Ints) -> dict[str, Floats]:
        """Each windowed feature of `entity`, by name, for every pair of code and time (epoch seconds)."""
        past = {CUSTOMER: self.customer, TERMINAL: self.terminal}[entity]
        return {
            feature.name: _value(feature, *past.over(codes, times, feature))
            for feature in WINDOWED
            if feature.entity == entity
        }


def _value(feature: Windowed, counts: Ints, sums: Ints) -> Floats:
    if feature.aggregate == "count":
        return counts.astype(np.float64)
    # the column of amounts is in cents, whose sums are exact
    scale = 100 if feature.aggregate == "mean_amount" else 1
    means = np.full(len(counts), DEFAULT)
    np.divide(sums, counts * scale, out=means, where=counts > 0)
    return means
