"""The input matrix of the fraud model: a row of numbers for each order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from events.envelope import Envelope
from events.errors import DeadLetter
from features.calendar import night, weekend
from features.contract import Contract
from features.table import matrix_of
from models.workflow import Case

_LARGEST_AMOUNT = 1e12

Matrix = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Assembled:
    """A row of a contract's features for each case, of no meaning where it is refused."""

    matrix: Matrix
    refused: dict[int, DeadLetter]


def assemble(cases: Sequence[Case], contract: Contract) -> Assembled:
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
    stored = matrix_of([case.features.values for case in cases], len(contract.needs))
    return Assembled(rows_of(contract, np.array(amounts, dtype=np.float64), occurred, stored), refused)


def rows_of(contract: Contract, amounts: Matrix, seconds: Ints, stored: Matrix) -> Matrix:
    """The matrix, in training as in serving, with the columns `contract.names`.

    Of amounts, times (epoch seconds), and the columns `contract.stored`.
    """
    matrix = np.empty((len(amounts), len(contract.names)))
    for place, name in enumerate(contract.payload):
        matrix[:, place] = _of_the_order(name, amounts, seconds)
    matrix[:, len(contract.payload) :] = stored
    return matrix


def _of_the_order(name: str, amounts: Matrix, seconds: Ints) -> NDArray[Any]:
    match name:
        case "weekend":
            return weekend(seconds)
        case "night":
            return night(seconds)
        case _:
            return amounts


def amount_of(event: Envelope) -> float:
    """What an order is about, in units of its currency. Raises `DeadLetter` if it is no usable number."""
    amount: Any = event.payload.get("amount")
    if type(amount) not in (float, int) or not 0 <= amount <= _LARGEST_AMOUNT:
        shown = "missing" if amount is None else repr(amount)[:40]
        raise DeadLetter("missing_feature", f"payload.amount must be a number from 0 to 1e12, is {shown}")
    return float(amount)
