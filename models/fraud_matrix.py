"""What does the fraud model see of a batch? A row of numbers for each order, and which are defaults."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from events.errors import DeadLetter
from features.calendar import night, weekend
from features.definitions import (
    CUSTOMER,
    CUSTOMER_FEATURES,
    DEFAULT,
    FEATURES,
    ORDER_FEATURES,
    TERMINAL,
    TERMINAL_FEATURES,
)
from features.online import FeatureRow
from models.workflow import Case

_CUSTOMER_AT = len(ORDER_FEATURES)
_TERMINAL_AT = _CUSTOMER_AT + len(CUSTOMER_FEATURES)
_LARGEST_AMOUNT = 1e12
_NONE_MISSING: tuple[str, ...] = ()

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Assembled:
    """A row of `FEATURES` for each case, of no meaning where it is refused; `missing` names the defaults."""

    matrix: Matrix
    missing: list[tuple[str, ...]]
    refused: dict[int, DeadLetter]


@dataclass(frozen=True, slots=True)
class Found:
    """The values of one entity, and the names of those that it lacked."""

    values: tuple[float, ...]
    missing: tuple[str, ...] = _NONE_MISSING


def assemble(cases: Sequence[Case]) -> Assembled:
    """One matrix for all cases. An order without a usable amount is refused, and holds up no other."""
    amounts, refused = _amounts(cases)
    customers = [_customer(case.rows.get(CUSTOMER)) for case in cases]
    terminals = [_terminal(case.rows.get(TERMINAL)) for case in cases]
    occurred = np.fromiter((case.event.occurred_at for case in cases), np.int64, len(cases)) // 1_000
    matrix = np.empty((len(cases), len(FEATURES)))
    matrix[:, 0] = amounts
    matrix[:, 1] = weekend(occurred)
    matrix[:, 2] = night(occurred)
    matrix[:, _CUSTOMER_AT:_TERMINAL_AT] = _block(customers)
    matrix[:, _TERMINAL_AT:] = _block(terminals)
    missing = [of.missing + at.missing for of, at in zip(customers, terminals, strict=True)]
    return Assembled(matrix, missing, refused)


def _amounts(cases: Sequence[Case]) -> tuple[list[float], dict[int, DeadLetter]]:
    amounts: list[float] = []
    refused: dict[int, DeadLetter] = {}
    for place, case in enumerate(cases):
        amount: Any = case.event.payload.get("amount")
        if type(amount) not in (float, int) or not 0 <= amount <= _LARGEST_AMOUNT:
            refused[place] = DeadLetter(
                "missing_feature", f"payload.amount must be a number from 0 to 1e12, is {_shown(amount)}"
            )
            amount = DEFAULT
        amounts.append(amount)
    return amounts, refused


def _shown(value: object) -> str:
    return "missing" if value is None else repr(value)[:40]


def _reader(names: tuple[str, ...]) -> Callable[[FeatureRow | None], Found]:
    whole: Callable[[dict[str, float]], tuple[float, ...]] = itemgetter(*names)
    nothing = Found((DEFAULT,) * len(names), names)

    def read(row: FeatureRow | None) -> Found:
        if row is None:
            return nothing
        try:
            return Found(whole(row.values))
        except KeyError:
            values = row.values
            return Found(
                tuple(values.get(name, DEFAULT) for name in names),
                tuple(name for name in names if name not in values),
            )

    return read


_customer = _reader(CUSTOMER_FEATURES)
_terminal = _reader(TERMINAL_FEATURES)


def _block(rows: Sequence[Found]) -> Matrix:
    width = len(rows[0].values)
    flat = np.fromiter(chain.from_iterable(row.values for row in rows), np.float64, width * len(rows))
    return flat.reshape(len(rows), width)
