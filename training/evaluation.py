"""Fraud detection metrics of the handbook's chapter 4: AUC, average precision, card precision."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from training.stored import Floats
from training.transactions import Ints

CARDS = 100
"""How many cards a day the investigators look at."""


def evaluate(days: Ints, customers: Ints, labels: Ints, scores: Floats) -> dict[str, float]:
    """`auc_roc`, `average_precision` and `card_precision_100`, each 0 to 1, to six digits."""
    return {
        "auc_roc": round(float(roc_auc_score(labels, scores)), 6),
        "average_precision": round(float(average_precision_score(labels, scores)), 6),
        f"card_precision_{CARDS}": round(card_precision(days, customers, labels, scores, CARDS), 6),
    }


def card_precision(days: Ints, customers: Ints, labels: Ints, scores: Floats, cards: int) -> float:
    """Of the `cards` most suspicious cards of a day, the share that was compromised; the mean over the days.

    A card is as suspicious as its worst transaction, and is not looked at again once it was found
    (handbook, section 4.4).
    """
    found: set[int] = set()
    shares = []
    for day in np.unique(days):
        today = (days == day) & ~np.isin(customers, list(found))
        worst = _most_suspicious(customers[today], scores[today])[:cards]
        compromised = set(customers[today & (labels == 1)].tolist())
        hits = compromised.intersection(worst.tolist())
        shares.append(len(hits) / cards)
        found |= hits
    return float(np.mean(shares))


def _most_suspicious(customers: Ints, scores: Floats) -> NDArray[np.int64]:
    by_score = np.lexsort((customers, -scores))
    ordered = customers[by_score]
    _, first = np.unique(ordered, return_index=True)
    return ordered[np.sort(first)]
