"""What was known at a moment, against counting by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.definitions import WINDOWED, Windowed
from training.transactions import DAY_S, Transaction, from_rows
from training.windows import Pasts

MOMENT = 100 * DAY_S
COUNT, MEAN = (feature for feature in WINDOWED if feature.entity == "customer" and feature.days == 1)
RISK = next(feature for feature in WINDOWED if feature.aggregate == "risk" and feature.days == 1)


def order(seconds_before: int, cents: int = 1_000, fraud: bool = False, who: str = "1") -> Transaction:
    return Transaction(MOMENT - seconds_before, who, who, cents, fraud)


def known(rows: list[Transaction], feature: Windowed, who: str = "1") -> float:
    transactions = from_rows([*rows, order(0, who="0"), order(0, who="1")])
    code = np.array([transactions.customers.ids.index(who)])
    return float(Pasts.of(transactions).values(feature.entity, code, np.array([MOMENT]))[feature.name][0])


@pytest.mark.parametrize(
    ("seconds_before", "counts"),
    [
        pytest.param(0, 0, id="the order of that very second is not in its own past"),
        pytest.param(1, 1, id="a second before"),
        pytest.param(DAY_S, 1, id="exactly a day before"),
        pytest.param(DAY_S + 1, 0, id="a second more than a day before"),
    ],
)
def test_where_a_window_begins_and_ends(seconds_before: int, counts: int) -> None:
    assert known([order(seconds_before)], COUNT) == counts


@pytest.mark.parametrize(
    ("days_before", "risk"),
    [
        pytest.param(6.9, 0.0, id="a fraud of this week is not known yet"),
        pytest.param(7.5, 1.0, id="a fraud of a week ago is known"),
        pytest.param(8.1, 0.0, id="a fraud before that is out of the window"),
    ],
)
def test_a_label_counts_once_it_is_known(days_before: float, risk: float) -> None:
    assert known([order(int(days_before * DAY_S), fraud=True)], RISK) == risk


def test_what_others_did_does_not_count() -> None:
    assert known([order(5, who="0"), order(6, who="1"), order(7, who="1")], COUNT, who="1") == 2


def test_a_mean_is_in_units_of_the_currency() -> None:
    assert known([order(5, cents=1_050), order(6, cents=2_000)], MEAN) == 15.25


def test_without_a_past_every_value_is_zero() -> None:
    assert {known([], feature) for feature in WINDOWED} == {0.0}


ROWS = st.lists(
    st.builds(
        Transaction,
        time=st.integers(0, 60).map(lambda halves: MOMENT - halves * DAY_S // 2),
        customer=st.sampled_from("ab"),
        terminal=st.sampled_from("xy"),
        amount_cents=st.integers(0, 10_000),
        fraud=st.booleans(),
    ),
    min_size=1,
    max_size=30,
)


@given(ROWS)
def test_every_feature_of_every_order_is_what_counting_by_hand_gives(rows: list[Transaction]) -> None:
    transactions = from_rows(rows)
    pasts = Pasts.of(transactions)
    for entities, feature in ((transactions.customers, COUNT), (transactions.terminals, RISK)):
        values = pasts.values(feature.entity, entities.codes, transactions.time)
        for each in (f for f in WINDOWED if f.entity == feature.entity):
            by_hand = [
                _by_hand(rows, int(t), entities.ids[c], each)
                for t, c in _pairs(transactions.time, entities.codes)
            ]
            assert values[each.name].tolist() == pytest.approx(by_hand, abs=0)


def _pairs(
    times: "np.typing.NDArray[np.int64]", codes: "np.typing.NDArray[np.int64]"
) -> list[tuple[int, int]]:
    return list(zip(times.tolist(), codes.tolist(), strict=True))


def _by_hand(rows: list[Transaction], moment: int, who: str, feature: Windowed) -> float:
    end = moment - feature.delay_days * DAY_S
    inside = [
        row
        for row in rows
        if (row.customer if feature.entity == "customer" else row.terminal) == who
        and end - feature.days * DAY_S <= row.time < end
    ]
    if feature.aggregate == "count" or not inside:
        return len(inside)
    if feature.aggregate == "risk":
        return sum(row.fraud for row in inside) / len(inside)
    return sum(row.amount_cents for row in inside) / (100 * len(inside))
