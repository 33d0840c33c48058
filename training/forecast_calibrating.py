"""The factor and the residuals that make a mean and quantiles of the forecaster's points. Pure.

Measured on weeks after those that the parts were fitted on, and before those of the test.
"""

import numpy as np

from models.forecast_fallback import MODELLED
from models.forecast_parts import Blend, reference_of
from models.forecast_totals import HORIZONS, Calibration, Reference, Residuals
from models.forecasting import HORIZON_DAYS, QUANTILES, Floats
from training.forecast_measuring import Measured, Seen

GROUPS = 4
FEWEST_IN_GROUP = 50
"""With fewer forecasts a group has no 0.95 to speak of."""
_Sold = tuple[Reference, Floats]


def calibrate(found: Measured, blend: Blend) -> Calibration:
    """Of the SKUs that a model is asked for. At least one of them is there: `choose` has refused none."""
    pairs = [
        (_reference(seen, blend), seen.later)
        for night in found.seen
        for seen in night
        if seen.kind in MODELLED
    ]
    levels = np.array([each.level for each, _ in pairs])
    groups = max(1, min(GROUPS, len(pairs) // FEWEST_IN_GROUP))
    borders = np.unique(np.quantile(levels, np.linspace(0, 1, groups + 1)[1:-1]))
    places = np.searchsorted(borders, levels, side="right")
    return Calibration(
        _factor(pairs),
        tuple(borders.tolist()),
        tuple(_residuals(pairs, places == group) for group in range(len(borders) + 1)),
    )


def _reference(seen: Seen, blend: Blend) -> Reference:
    return reference_of(seen.known, seen.trees, seen.prophet if seen.kind == "regular" else None, blend)


def _factor(pairs: list[_Sold]) -> float:
    sold = sum(later[:HORIZON_DAYS].sum() for _, later in pairs)
    said = sum(each.days[:HORIZON_DAYS].sum() for each, _ in pairs)
    return float(sold / said) if sold > 0 and said > 0 else 1.0


def _residuals(pairs: list[_Sold], among: "np.typing.NDArray[np.bool_]") -> Residuals:
    # equal levels can leave a group without a forecast: what all have in common is its best guess
    some = [pair for pair, taken in zip(pairs, among.tolist(), strict=True) if taken] or pairs
    days = np.array([(later - each.days) / each.scale for each, later in some])[:, :HORIZON_DAYS]
    totals: list[tuple[float, ...]] = []
    for horizon in HORIZONS:
        beyond = [
            (later[:horizon].sum() - each.days[:horizon].sum()) / each.scale[:horizon].sum()
            for each, later in some
            # the last nights' longer horizons reach into the test weeks: they are not looked at
            if not np.isnan(later[:horizon]).any()
        ]
        totals.append(_quantiles(np.array(beyond)) if beyond else totals[-1])
    return Residuals(_quantiles(days), tuple(totals))


def _quantiles(residuals: Floats) -> tuple[float, ...]:
    return tuple(np.quantile(residuals, QUANTILES).tolist())
