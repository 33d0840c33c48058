"""The fraud model's input for an order."""

from typing import Any

import numpy as np
import pytest

from models.fraud_features import FEATURES, NEEDS
from models.fraud_matrix import assemble
from tests.unit.models.cases import MONDAY_NOON, STORED_VALUES, case, order, vector

DAY_MS, HOUR_MS = 86_400_000, 3_600_000


def seen(matrix: "np.typing.NDArray[np.float64]", place: int = 0) -> dict[str, float]:
    return dict(zip(FEATURES, matrix[place].tolist(), strict=True))


def test_every_value_stands_in_the_column_of_its_name() -> None:
    assembled = assemble([case()], NEEDS)
    order_values = {"amount": 57.16, "weekend": 0.0, "night": 0.0}
    assert seen(assembled.matrix) == order_values | STORED_VALUES
    assert assembled.refused == {}


def test_each_order_has_its_own_row() -> None:
    twice = vector({name: 2 * value for name, value in STORED_VALUES.items()})
    matrix = assemble([case(), case(order(amount=1), twice)], NEEDS).matrix
    assert [seen(matrix, place)["amount"] for place in (0, 1)] == [57.16, 1.0]
    np.testing.assert_array_equal(matrix[1, 3:], 2 * matrix[0, 3:])


@pytest.mark.parametrize(
    ("occurred_at", "weekend", "night"),
    [
        pytest.param(MONDAY_NOON, 0.0, 0.0, id="Monday at noon"),
        pytest.param(MONDAY_NOON - DAY_MS, 1.0, 0.0, id="Sunday at noon"),
        pytest.param(MONDAY_NOON - 6 * HOUR_MS, 0.0, 1.0, id="Monday at six in the morning"),
        pytest.param(MONDAY_NOON - 34 * HOUR_MS, 1.0, 1.0, id="Sunday at two in the morning"),
    ],
)
def test_the_time_of_the_order_tells_night_and_weekend(
    occurred_at: int, weekend: float, night: float
) -> None:
    values = seen(assemble([case(order(occurred_at))], NEEDS).matrix)
    assert (values["weekend"], values["night"]) == (weekend, night)


@pytest.mark.parametrize(
    ("amount", "message"),
    [
        pytest.param(None, "payload.amount must be a number from 0 to 1e12, is missing", id="none"),
        pytest.param("57.16", "is '57.16'", id="a text"),
        pytest.param(True, "is True", id="a yes"),
        pytest.param(-0.01, "is -0.01", id="below zero"),
        pytest.param(float("nan"), "is nan", id="not a number"),
        pytest.param(10**400, "is 1000", id="larger than any float"),
        pytest.param([1], r"is \[1\]", id="a list"),
    ],
)
def test_an_order_without_a_usable_amount_is_refused_alone(amount: Any, message: str) -> None:
    assembled = assemble([case(), case(order(amount=amount)), case(order(amount=3))], NEEDS)
    assert list(assembled.refused) == [1]
    assert assembled.refused[1].cause == "missing_feature"
    with pytest.raises(type(assembled.refused[1]), match=message):
        raise assembled.refused[1]
    assert [seen(assembled.matrix, place)["amount"] for place in (0, 2)] == [57.16, 3.0]
