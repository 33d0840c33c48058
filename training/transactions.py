"""Card transactions in columns, ordered by time: card, terminal, amount, fraud label."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Places = NDArray[np.intp]
DAY_S = 86_400
_EPOCH = date(1970, 1, 1)


class Transaction(NamedTuple):
    """One payment; `time` in epoch seconds."""

    time: int
    customer: str
    terminal: str
    amount_cents: int
    fraud: bool


@dataclass(frozen=True, slots=True)
class Entities:
    """Who took part: `codes[i]` is the place in `ids` of transaction `i`'s customer, or terminal."""

    ids: tuple[str, ...]
    codes: Ints

    def first(self, rows: int) -> "Entities":
        """Those of the first `rows` transactions, without a trace of the others."""
        used, codes = np.unique(self.codes[:rows], return_inverse=True)
        return Entities(tuple(self.ids[code] for code in used), codes.astype(np.int64))


@dataclass(frozen=True, slots=True)
class Transactions:
    """Columns of equal length, ordered by `time` (epoch seconds); `fraud` is 0 or 1."""

    time: Ints
    customers: Entities
    terminals: Entities
    amount_cents: Ints
    fraud: Ints

    def __len__(self) -> int:
        return len(self.time)

    @property
    def days(self) -> Ints:
        """Each transaction's day, counted from 1970-01-01, UTC."""
        return self.time // DAY_S

    @property
    def first_day(self) -> date:
        """The day of the first transaction, UTC; there must be one."""
        return day_of(self.days[0])

    @property
    def last_day(self) -> date:
        """The day of the last transaction, UTC; there must be one."""
        return day_of(self.days[-1])

    def before(self, end: date) -> "Transactions":
        """Those before the beginning of a day, UTC."""
        rows = int(np.searchsorted(self.time, day_number(end) * DAY_S))
        return Transactions(
            self.time[:rows],
            self.customers.first(rows),
            self.terminals.first(rows),
            self.amount_cents[:rows],
            self.fraud[:rows],
        )

    def digest(self) -> str:
        """SHA-256 of what the rows say, in hex."""
        sha = hashlib.sha256()
        for entities in (self.customers, self.terminals):
            sha.update("\n".join(entities.ids).encode())
        for column in (self.time, self.customers.codes, self.terminals.codes, self.amount_cents, self.fraud):
            sha.update(column.astype("<i8").tobytes())
        return sha.hexdigest()


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


def day_of(number: int) -> date:
    """The day that lies `number` days after 1970-01-01."""
    return _EPOCH + timedelta(days=int(number))


def from_rows(rows: Iterable[Transaction]) -> Transactions:
    """Transactions in any order."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(Transaction._fields)
    return from_columns(
        *(pd.Series(column, dtype=kind) for column, kind in zip(columns, _KINDS, strict=True))
    )


_KINDS = ("int64", "object", "object", "int64", "int64")


def from_columns(
    time: "pd.Series[Any]",
    customer: "pd.Series[Any]",
    terminal: "pd.Series[Any]",
    amount_cents: "pd.Series[Any]",
    fraud: "pd.Series[Any]",
) -> Transactions:
    """Transactions in any order, by column; ids may be numbers or texts."""
    times = time.to_numpy(np.int64)
    order = np.argsort(times, kind="stable")
    return Transactions(
        times[order],
        _entities(customer, order),
        _entities(terminal, order),
        amount_cents.to_numpy(np.int64)[order],
        fraud.to_numpy(np.int64)[order],
    )


def _entities(column: "pd.Series[Any]", order: NDArray[np.intp]) -> Entities:
    codes, ids = pd.factorize(column, sort=True)
    return Entities(tuple(str(each) for each in ids), codes.astype(np.int64)[order])
