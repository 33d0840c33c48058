"""Card precision, against days worked out by hand."""

import numpy as np
import pytest

from training.evaluation import card_precision, evaluate

Row = tuple[int, int, int, float]


def precision(rows: list[Row], cards: int) -> float:
    days, customers, labels, scores = zip(*rows, strict=True)
    return card_precision(np.array(days), np.array(customers), np.array(labels), np.array(scores), cards)


@pytest.mark.parametrize(
    ("rows", "cards", "expected"),
    [
        pytest.param([(1, 1, 1, 0.9), (1, 2, 0, 0.1)], 1, 1.0, id="the most suspicious card is compromised"),
        pytest.param([(1, 1, 1, 0.1), (1, 2, 0, 0.9)], 1, 0.0, id="the most suspicious card is honest"),
        pytest.param(
            [(1, 1, 0, 0.9), (1, 1, 1, 0.1), (1, 2, 0, 0.5)],
            1,
            1.0,
            id="a card is as suspicious as its worst order, and compromised by any",
        ),
        pytest.param([(1, 1, 1, 0.9)], 4, 0.25, id="fewer cards than investigators look at"),
        pytest.param(
            [(1, 1, 1, 0.9), (2, 1, 1, 0.9), (2, 2, 1, 0.5)],
            1,
            1.0,
            id="a card that was found is not looked at again: the next one is",
        ),
        pytest.param(
            [(1, 1, 1, 0.9), (2, 1, 1, 0.9), (2, 2, 0, 0.5)],
            1,
            0.5,
            id="the mean of a good day and a bad one",
        ),
    ],
)
def test_card_precision(rows: list[Row], cards: int, expected: float) -> None:
    assert precision(rows, cards) == expected


def test_the_figures_of_a_perfect_model() -> None:
    days, customers, labels = np.ones(4, dtype=np.int64), np.arange(4), np.array([0, 0, 1, 1])
    assert evaluate(days, customers, labels, np.array([0.1, 0.2, 0.8, 0.9])) == {
        "auc_roc": 1.0,
        "average_precision": 1.0,
        "card_precision_100": 0.02,
    }
