"""The demand forecaster: Prophet for each SKU, one XGBoost for all, and what their errors taught."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import msgspec
import numpy as np

from features.contract import Contract
from features.retail import DEFINITIONS
from models.artifact import Artifact, BrokenModelError
from models.contracts import contract_of
from models.demand_workflow import MODEL
from models.forecast_columns import COLUMNS, WEEK_COLUMNS
from models.forecast_fallback import MODELLED, Kind, kind_of, nothing, now_and_then
from models.forecast_parts import Blend, GlobalModel, Trees, join
from models.forecast_totals import Calibration
from models.forecasting import DailySeries, Floats, Forecast
from models.workflow import ModelVersion

if TYPE_CHECKING:
    from xgboost import Booster

T = TypeVar("T")

__all__ = [
    "BLEND",
    "CALIBRATION",
    "MODEL",
    "NEEDS",
    "POINT_TREES",
    "RANGE_TREES",
    "WEEK_TREES",
    "DemandForecaster",
    "forecast_of",
]

POINT_TREES, RANGE_TREES, WEEK_TREES = "mean.ubj", "range.ubj", "week.ubj"
"""Boosters as XGBoost writes them: a day's point, its bounds, a week's mean."""
BLEND, CALIBRATION = "blend.json", "calibration.json"
"""What joins them with Prophet, and what makes a mean and quantiles of both."""
NEEDS = Contract.of(DEFINITIONS, ("demand_1d", "mean_price_28d"))
"""Whose measures the series are made of: with another meaning of these, a version is not served."""


class DemandForecaster:
    """`models.forecasting.Forecaster` of one version. Make it after the fork."""

    def __init__(
        self, trees: GlobalModel, blend: Blend, calibration: Calibration, version: ModelVersion
    ) -> None:
        self._trees = trees
        self._blend = blend
        self._calibration = calibration
        self._version = version

    @classmethod
    def load(cls, artifact: Artifact) -> "DemandForecaster":
        """This version, warm. Raises `BrokenModelError` if it cannot be served."""
        contract_of(artifact, DEFINITIONS, (), ("sku",))
        _refuse_uncalibrated(artifact)
        trees = GlobalModel(
            _booster(artifact, POINT_TREES, COLUMNS),
            _booster(artifact, RANGE_TREES, COLUMNS),
            _booster(artifact, WEEK_TREES, WEEK_COLUMNS),
        )
        blend, calibration = _read(artifact, BLEND, Blend), _read(artifact, CALIBRATION, Calibration)
        made = cls(trees, blend, calibration, ModelVersion.of(artifact))
        made.warm()
        return made

    @property
    def version(self) -> ModelVersion:
        """What is stamped on each forecast."""
        return self._version

    def warm(self) -> None:
        """Import Prophet and go the whole way once."""
        demand = np.tile(np.arange(1.0, 8.0), 8)
        series = DailySeries(date(2026, 1, 5), demand, np.ones(len(demand)))
        self.forecast({"": series}, series.end)

    def forecast(self, series: Mapping[str, DailySeries], night: date) -> Mapping[str, Forecast]:
        """By SKU, the demand of the days from `night` on."""
        known = {sku: each.before(night) for sku, each in series.items()}
        kinds = {sku: kind_of(each) for sku, each in known.items()}
        modelled = [sku for sku in known if kinds[sku] in MODELLED]
        said = self._trees.predict([known[sku] for sku in modelled], night)
        trees = dict(zip(modelled, said, strict=True))
        return {
            sku: forecast_of(
                each, kinds[sku], trees.get(sku), partial(_prophet, night), self._blend, self._calibration
            )
            for sku, each in known.items()
        }


def forecast_of(
    known: DailySeries,
    kind: Kind,
    trees: Trees | None,
    prophet: Callable[[DailySeries], Floats | None],
    blend: Blend,
    calibration: Calibration,
) -> Forecast:
    """One SKU's, by the kind that it is of; Prophet is asked for what is regular alone."""
    if trees is not None and kind in MODELLED:
        return join(known, trees, prophet(known) if kind == "regular" else None, blend, calibration)
    return now_and_then(known) if kind == "intermittent" else nothing()


def _prophet(night: date, series: DailySeries) -> Floats | None:
    # here and not above: it brings pandas and Stan, which only a process that forecasts needs
    from models.forecast_prophet import prophet_mean

    return prophet_mean(series, night)


def _refuse_uncalibrated(artifact: Artifact) -> None:
    if lacking := [name for name in (WEEK_TREES, CALIBRATION) if name not in artifact.metadata.files]:
        reason = (
            f"it has no {' and no '.join(lacking)}: it was trained before forecasts had a mean and totals. "
            "Train it again: `signalbox train forecast`"
        )
        raise BrokenModelError(artifact.path, reason)


def _read(artifact: Artifact, name: str, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(artifact.read(name), type=kind)
    except msgspec.MsgspecError as error:
        raise BrokenModelError(artifact.path, f"{name} cannot be read: {error}") from error


def _booster(artifact: Artifact, name: str, columns: tuple[str, ...]) -> "Booster":
    try:
        # here and not above: whoever imports this module before it forks must not start XGBoost's threads
        from xgboost import Booster
        from xgboost.core import XGBoostError

        import models.forecast_prophet  # noqa: F401  # to learn now, and not at night, that it is not there
    except ModuleNotFoundError as error:
        reason = f"{error.name} is not installed here: pip install 'signalbox[forecast]'"
        raise BrokenModelError(artifact.path, reason) from error
    try:
        booster = Booster(model_file=bytearray(artifact.read(name)))
    except XGBoostError as error:
        reason = f"XGBoost cannot read {name}: {str(error).splitlines()[0]}"
        raise BrokenModelError(artifact.path, reason) from error
    if tuple(booster.feature_names or ()) != columns:
        raise BrokenModelError(artifact.path, f"{name} was grown on other columns than this code makes")
    return booster
