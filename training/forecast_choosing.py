"""The best blend of the forecaster's parts, by weeks that are over. Pure."""

import numpy as np

from events.errors import ConfigError, Problem
from models.forecast_fallback import MODELLED
from models.forecast_parts import LEAST_END, Blend
from models.forecasting import COVERAGE, Floats
from training.accuracy import mase, wape
from training.forecast_measuring import Measured, points

_WEIGHTS = np.linspace(0, 1, 21).tolist()
_A_LITTLE = 1 + 1e-9
_LEAST_STRETCH = 0.01
"""Where all that is measured sold nothing, the bounds still hold more than that."""


def choose(found: Measured) -> Blend:
    """Prophet's weight, by WAPE and MASE, each by the seasonal naive's; then the interval's stretch.

    Of the weights that do as well as the best, within one standard error of the difference between the two
    (Breiman et al., *Classification and Regression Trees*, 1984), the least is taken: what the trees say
    adds up to more of what is sold than what Prophet says. Raises `ConfigError` if none of the SKUs has
    an interval to be stretched.
    """
    losses = [_losses(found, points(found, Blend(weight, 1.0))) for weight in _WEIGHTS]
    best = min(losses, key=np.sum)
    as_good = (
        weight
        for weight, each in zip(_WEIGHTS, losses, strict=True)
        if (each - best).sum() <= np.sqrt(len(best)) * (each - best).std()
    )
    return Blend(next(as_good), _stretch(found))


def _losses(found: Measured, mean: Floats) -> Floats:
    """What each SKU adds to the loss."""
    truth, naive = found.truth, found.naive
    errors = np.abs(truth.actual - mean)
    known = truth.scale > 0
    scaled = np.divide(errors.mean(axis=2), truth.scale, out=np.zeros(known.shape), where=known)
    by_wape = errors.sum(axis=(0, 2)) / (truth.actual.sum() * wape(truth, naive))
    losses: Floats = by_wape + scaled.sum(axis=0) / (known.sum() * mase(truth, naive))
    return losses


def _stretch(found: Measured) -> float:
    """By how much the ends are to be moved so that `COVERAGE` of the days lie between them.

    Split conformal prediction, Vovk et al. (2005): the score of a day is the least factor that takes it in.
    Days of SKUs that have no interval of the model's are not asked.
    """
    asked = np.array([[each.kind in MODELLED for each in night] for night in found.seen])
    if not asked.any():
        problem = (
            f"none of the {asked.shape[1]:,} SKUs that the parts are joined on was sold regularly: join them "
            "on more weeks (--blend-weeks) or SKUs (--skus)"
        )
        raise ConfigError([Problem("offline feature store", 0, "sku_demand", problem)])
    low, high = found.all(lambda each: each.trees.low), found.all(lambda each: each.trees.high)
    sold = found.truth.actual
    # the low end is rounded down: what it has to fall below is one piece more than was sold
    score = np.maximum(sold / np.maximum(high, LEAST_END), low / (sold + 1))[asked] * _A_LITTLE
    level = min(1.0, COVERAGE * (1 + 1 / score.size))
    return max(_LEAST_STRETCH, float(np.quantile(score, level, method="higher")))
