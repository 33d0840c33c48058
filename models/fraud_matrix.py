"""What does the fraud model see of a batch? A row of numbers for each order."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from events.envelope import Envelope
from events.errors import DeadLetter
from features.calendar import night, weekend
from models.fraud_features import FEATURES, ORDER_FEATURES, STORED
from models.workflow import Case

_STORED_AT = len(ORDER_FEATURES)
_LARGEST_AMOUNT = 1e12

Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Assembled:
    """A row of `FEATURES` for each case, of no meaning where it is refused."""

    matrix: Matrix
    refused: dict[int, DeadLetter]


def assemble(cases: Sequence[Case]) -> Assembled:
    """One matrix for all cases. An order without a usable amount is refused, and holds up no other."""
    amounts: list[float] = []
    refused: dict[int, DeadLetter] = {}
    for place, case in enumerate(cases):
        try:
            amounts.append(amount_of(case.event))
        except DeadLetter as error:
            refused[place] = error
            amounts.append(0.0)
    occurred = np.fromiter((case.event.occurred_at for case in cases), np.int64, len(cases)) // 1_000
    values = chain.from_iterable(case.features.values for case in cases)
    stored = np.fromiter(values, np.float64, len(cases) * len(STORED)).reshape(len(cases), len(STORED))
    return Assembled(rows_of(np.array(amounts, dtype=np.float64), occurred, stored), refused)


def rows_of(amounts: Matrix, seconds: Ints, stored: Matrix) -> Matrix:
    """The matrix, in training as in serving: amounts, times (epoch seconds), and the columns `STORED`."""
    matrix = np.empty((len(amounts), len(FEATURES)))
    matrix[:, 0] = amounts
    matrix[:, 1] = weekend(seconds)
    matrix[:, 2] = night(seconds)
    matrix[:, _STORED_AT:] = stored
    return matrix


def amount_of(event: Envelope) -> float:
    """What an order is about, in units of its currency. Raises `DeadLetter` where it is no usable number."""
    amount: Any = event.payload.get("amount")
    if type(amount) not in (float, int) or not 0 <= amount <= _LARGEST_AMOUNT:
        shown = "missing" if amount is None else repr(amount)[:40]
        raise DeadLetter("missing_feature", f"payload.amount must be a number from 0 to 1e12, is {shown}")
    return float(amount)
