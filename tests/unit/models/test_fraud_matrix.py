"""What does the model see of an order?"""

from typing import Any

import numpy as np
import pytest

from features.definitions import CUSTOMER_FEATURES, FEATURES, TERMINAL_FEATURES
from features.online import FeatureRow
from models.fraud_matrix import assemble
from tests.unit.models.cases import CUSTOMER_ROW, MONDAY_NOON, TERMINAL_ROW, case, order

DAY_MS, HOUR_MS = 86_400_000, 3_600_000


def seen(matrix: "np.typing.NDArray[np.float64]", place: int = 0) -> dict[str, float]:
    return dict(zip(FEATURES, matrix[place].tolist(), strict=True))


def test_every_value_stands_in_the_column_of_its_name() -> None:
    assembled = assemble([case()])
    order_values = {"amount": 57.16, "weekend": 0.0, "night": 0.0}
    assert seen(assembled.matrix) == order_values | CUSTOMER_ROW.values | TERMINAL_ROW.values
    assert assembled.missing == [()]
    assert assembled.refused == {}


def test_the_order_of_names_in_a_stored_row_does_not_matter() -> None:
    turned = FeatureRow(0, dict(reversed(CUSTOMER_ROW.values.items())))
    np.testing.assert_array_equal(assemble([case(customer=turned)]).matrix, assemble([case()]).matrix)


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
    values = seen(assemble([case(order(occurred_at))]).matrix)
    assert (values["weekend"], values["night"]) == (weekend, night)


SOME = FeatureRow(0, {"customer_count_1d": 4.0, "no longer defined": 9.0})


@pytest.mark.parametrize(
    ("customer", "terminal", "missing"),
    [
        pytest.param(CUSTOMER_ROW, TERMINAL_ROW, (), id="nothing is missing"),
        pytest.param(None, TERMINAL_ROW, CUSTOMER_FEATURES, id="a customer nobody has seen"),
        pytest.param(CUSTOMER_ROW, None, TERMINAL_FEATURES, id="a terminal nobody has seen"),
        pytest.param(None, None, CUSTOMER_FEATURES + TERMINAL_FEATURES, id="neither is known"),
        pytest.param(SOME, TERMINAL_ROW, CUSTOMER_FEATURES[1:], id="a row from before a value was defined"),
    ],
)
def test_what_is_missing_stands_at_its_default_and_is_named(
    customer: FeatureRow | None, terminal: FeatureRow | None, missing: tuple[str, ...]
) -> None:
    assembled = assemble([case(customer=customer, terminal=terminal)])
    assert assembled.missing == [missing]
    values = seen(assembled.matrix)
    assert {values[name] for name in missing} <= {0.0}
    present = (customer.values if customer else {}) | (terminal.values if terminal else {})
    assert {name: values[name] for name in FEATURES[3:] if name not in missing} == {
        name: value for name, value in present.items() if name in FEATURES
    }


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
    assembled = assemble([case(), case(order(amount=amount)), case(order(amount=3))])
    assert list(assembled.refused) == [1]
    assert assembled.refused[1].cause == "missing_feature"
    with pytest.raises(type(assembled.refused[1]), match=message):
        raise assembled.refused[1]
    assert [seen(assembled.matrix, place)["amount"] for place in (0, 2)] == [57.16, 3.0]
