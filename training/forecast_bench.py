"""The figures of any version of the forecaster on the weeks that a training was measured on."""

import time
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import cycle, islice

import numpy as np

from models.artifact import Artifact
from models.forecast import DemandForecaster
from models.forecasting import HORIZON_DAYS, DailySeries
from training.accuracy import Truth, bias, coverage, mase, scale_of, wape, weekly_wape
from training.forecast_measuring import total_metrics
from training.forecast_rows import ahead


class ForecastBench:
    """`training.bench.Bench` over these SKUs on these nights."""

    def __init__(self, series: Mapping[str, DailySeries], nights: Sequence[date]) -> None:
        self._series = series
        self._nights = nights

    def metrics(self, version: Artifact) -> Mapping[str, float]:
        """WAPE and MASE of the median, bias of the mean, coverage of the bounds; the total's quantiles."""
        forecaster = DemandForecaster.load(version)
        made = [forecaster.forecast(self._series, night) for night in self._nights]
        mean, median, low, high = (
            np.array([[getattr(each[sku], name)[:HORIZON_DAYS] for sku in self._series] for each in made])
            for name in ("mean", "median", "low", "high")
        )
        total = np.array([[each[sku].totals[HORIZON_DAYS - 1] for sku in self._series] for each in made])
        truth = self._truth()
        return {
            "wape": wape(truth, median),
            "mase": mase(truth, median),
            "weekly_wape": weekly_wape(truth, median),
            **total_metrics(truth, total),
            "bias": bias(truth, mean),
            "coverage": coverage(truth, low, high),
        }

    def latency_ms(self, version: Artifact, batch: int) -> float:
        """What forecasting as many SKUs as a batch has takes this process, once: most of it are fits."""
        forecaster = DemandForecaster.load(version)
        some = {
            f"{place} {sku}": series
            for place, (sku, series) in enumerate(islice(cycle(self._series.items()), batch))
        }
        began = time.perf_counter()
        forecaster.forecast(some, self._nights[-1])
        return (time.perf_counter() - began) * 1_000

    def _truth(self) -> Truth:
        series = self._series.values()
        actual = [[ahead(each, night) for each in series] for night in self._nights]
        scale = [[scale_of(each.before(night).demand) for each in series] for night in self._nights]
        return Truth(np.array(actual), np.array(scale))
