"""Feature contributions (SHAP values) of LightGBM, computed on request."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from events.prediction import Explanation
from models.workflow import Case

if TYPE_CHECKING:
    from lightgbm import Booster

_DIGITS = 6


def explanations(
    booster: "Booster",
    matrix: NDArray[np.float64],
    names: Sequence[str],
    cases: Sequence[Case],
    *,
    slope: float = 1.0,
    intercept: float = 0.0,
) -> list[Explanation | None]:
    """One for each case whose route asks for it; row `i` of `matrix` [cases, names] is case `i`.

    Contributions are Shapley values of the trees (Lundberg et al., *Consistent Individualized Feature
    Attribution for Tree Ensembles*, 2018): those of one case cost a hundred predictions. With a
    calibration, the probability's log-odds are `slope * score + intercept`.
    """
    places = [place for place, case in enumerate(cases) if case.decision.explain]
    found: list[Explanation | None] = [None] * len(cases)
    if places:
        told = np.asarray(booster.predict(matrix[places], pred_contrib=True, num_threads=1)) * slope
        told[:, -1] += intercept
        for place, row in zip(places, told.round(_DIGITS).tolist(), strict=True):
            *added, base = row
            found[place] = Explanation(base, _by_weight(names, added))
    return found


def _by_weight(names: Sequence[str], added: Sequence[float]) -> dict[str, float]:
    pairs = zip(names, added, strict=True)
    return dict(sorted(pairs, key=lambda pair: (-abs(pair[1]), pair[0])))
