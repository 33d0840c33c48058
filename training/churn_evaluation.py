"""Quality of probabilities: AUC for rank, Brier score, and calibration error."""

from typing import NamedTuple

import numpy as np
from sklearn.metrics import brier_score_loss, roc_auc_score

from training.churn_dataset import Floats, Ints

BINS = 10
_DIGITS = 6


class Bin(NamedTuple):
    """A part of the predictions: what was said on average, how often it came so, and how many there are."""

    predicted: float
    observed: float
    rows: int


def evaluate(labels: Ints, probabilities: Floats) -> dict[str, float]:
    """`auc_roc`, `brier` and `calibration_error`, each 0 to 1, to six digits."""
    return {
        "auc_roc": round(float(roc_auc_score(labels, probabilities)), _DIGITS),
        "brier": round(float(brier_score_loss(labels, probabilities)), _DIGITS),
        "calibration_error": round(calibration_error(labels, probabilities), _DIGITS),
    }


def calibration(labels: Ints, probabilities: Floats, bins: int = BINS) -> list[Bin]:
    """The predictions by size, in parts of equal numbers; the lowest first."""
    order = np.argsort(probabilities, kind="stable")
    return [
        Bin(float(probabilities[part].mean()), float(labels[part].mean()), len(part))
        for part in np.array_split(order, bins)
        if len(part)
    ]


def calibration_error(labels: Ints, probabilities: Floats) -> float:
    """The mean distance of what was said from what came, over those parts (Naeini et al., 2015: ECE)."""
    parts = calibration(labels, probabilities)
    return sum(abs(part.predicted - part.observed) * part.rows for part in parts) / len(labels)
