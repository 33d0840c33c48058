"""Probability calibration: from a raw score to the probability of a named outcome."""

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.artifact import Artifact, BrokenModelError

CALIBRATION = "calibration.json"
"""The file of a version that has one."""

Floats = NDArray[np.float64]


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Platt's scaling: the log-odds of the probability are `slope * score + intercept`.

    Fitted on what came after the trees' own examples (Platt, *Probabilistic Outputs for Support Vector
    Machines*, 1999). The probability is that of something that happens within `horizon_days`; `base_rate` is
    how often it happened in the examples that this was fitted on.
    """

    slope: float
    intercept: float
    base_rate: float
    horizon_days: int

    def probabilities(self, scores: Floats) -> Floats:
        """Of raw scores (log-odds as the trees have them); above 0 and below 1."""
        # beyond this, exp gives nothing but an overflow
        log_odds = np.clip(self.slope * scores + self.intercept, -500, 500)
        return np.asarray(1 / (1 + np.exp(-log_odds)), np.float64)


def calibration_of(artifact: Artifact) -> Calibration:
    """The version's. Raises `BrokenModelError` if it has none that could be used."""
    try:
        found = msgspec.json.decode(artifact.read(CALIBRATION), type=Calibration)
    except msgspec.MsgspecError as error:
        raise BrokenModelError(artifact.path, f"{CALIBRATION} cannot be read: {error}") from error
    if not (found.slope > 0 and math.isfinite(found.slope) and math.isfinite(found.intercept)):
        raise BrokenModelError(
            artifact.path, f"{CALIBRATION}: slope must be above 0, is {found.slope}: more risk would be less"
        )
    if found.horizon_days < 1 or not 0 <= found.base_rate <= 1:
        raise BrokenModelError(
            artifact.path,
            f"{CALIBRATION}: horizon_days {found.horizon_days} or base_rate {found.base_rate} cannot be",
        )
    return found
