"""How well the demand of a real retailer is forecast, beside the seasonal naive and each part alone.

    python -m benchmarks.forecast --data FILE [--skus 500] [--jobs 2] [--zone Europe/London]

The invoice lines of the UCI *Online Retail* data (`benchmarks.online_retail`) go as events through the
pipeline's extraction into an offline store. Of the SKUs that sold best before the last four weeks, each of
those weeks is forecast from what was known at its midnight. Trees are fitted, and the parts joined and
calibrated, on earlier weeks only. The 95 % intervals are bootstrapped over SKUs.
"""

import argparse
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import numpy as np

from benchmarks.forecast_totals import PARTS, total_lines
from benchmarks.online_retail import TENANT, fill
from features.offline.sales import Sales
from features.offline.store import OfflineStore
from features.retail import SKU_DEMAND
from models import artifact
from models.forecast import DemandForecaster
from models.forecasting import COVERAGE, DailySeries, Floats
from training.accuracy import Truth, bias, bootstrap, coverage, mase, wape, weekly_wape
from training.forecast import Trained, best_selling, train
from training.forecast_measuring import Joined, Measured, fit, joined
from training.forecast_split import Weeks
from training.provenance import provenance
from training.transactions import Places

BLEND_WEEKS, TEST_WEEKS = 4, 4
Figure = Callable[[Truth, Floats], float]


class Lines:
    """Each step as a line. `training.forecast.Progress`."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def say(self, message: str) -> None:
        """With the seconds since the beginning."""
        print(f"{time.perf_counter() - self._began:6.0f} s  {message}", flush=True)

    def tree(self, grown: int, of: int) -> None:
        """The last one."""
        if grown == of:
            self.say(f"{of:,} done")


def known_series(store: OfflineStore, zone: ZoneInfo) -> tuple[dict[str, DailySeries], Weeks]:
    """Of products, which have a number of five digits: postage and the like are sold as well."""
    span = store.span(SKU_DEMAND, TENANT)
    if span is None:
        raise ValueError("nothing was counted")
    # the data end with a whole day
    last = datetime.fromtimestamp(span[1] / 1_000, UTC).toordinal()
    end = datetime.fromordinal(last + 1).date()
    sales = Sales(store.database, zone)
    skus = [sku for sku in sales.catalogue(TENANT, end) if sku[:5].isdecimal()]
    return sales.series(TENANT, skus, end), Weeks(end, BLEND_WEEKS, TEST_WEEKS)


def report(found: Measured, own: Joined) -> None:
    """The table, the differences, the coverage."""
    said = {
        "ensemble, median": own.median,
        "ensemble, mean": own.mean,
        "XGBoost alone": found.trees,
        "Prophet alone": found.prophet,
        "seasonal naive": found.naive,
        "nothing is sold": np.zeros_like(own.mean),
    }
    print(f"\n{'':18}{'WAPE':>24}{'MASE':>24}{'bias':>9}{'WAPE of 7 days':>16}")
    for name, mean in said.items():
        figures = "".join(f"{_with_interval(found.truth, mean, figure):>24}" for figure in (wape, mase))
        rest = f"{bias(found.truth, mean):>+9.2f}{weekly_wape(found.truth, mean):>16.3f}"
        print(f"{name:18}{figures}{rest}")
    print("\nthe WAPE and MASE of the ensemble's median less theirs, on the same draws of SKUs:")
    for name in PARTS:
        print(f"{name:18}{_difference(found.truth, own.median, said[name])}")
    low, high = bootstrap(found.truth, lambda some, places: bias(some, own.mean[:, places]))
    print(f"\nbias of the ensemble's mean: {bias(found.truth, own.mean):+.1%} [{low:+.1%}, {high:+.1%}]")
    print("by week:", ", ".join(f"{week:+.1%}" for week in _by_week(found.truth.actual, own.mean)))
    low, high = bootstrap(
        found.truth, lambda truth, places: coverage(truth, own.low[:, places], own.high[:, places])
    )
    held = coverage(found.truth, own.low, own.high)
    print(f"\ncoverage of the {COVERAGE:.0%} interval: {held:.1%} [{low:.1%}, {high:.1%}]; by week:", end=" ")
    weeks = ((own.low <= found.truth.actual) & (found.truth.actual <= own.high)).mean(axis=(1, 2))
    print(", ".join(f"{week:.1%}" for week in weeks))


def _by_week(actual: Floats, mean: Floats) -> list[float]:
    biases: list[float] = (mean.sum(axis=(1, 2)) / actual.sum(axis=(1, 2)) - 1).tolist()
    return biases


def _with_interval(truth: Truth, mean: Floats, figure: Figure) -> str:
    low, high = bootstrap(truth, lambda some, places: figure(some, mean[:, places]))
    return f"{figure(truth, mean):.3f} [{low:.3f}, {high:.3f}]"


def _difference(truth: Truth, own: Floats, other: Floats) -> str:
    told = []
    for figure in (wape, mase):

        def less(some: Truth, places: Places, figure: Figure = figure) -> float:
            return figure(some, own[:, places]) - figure(some, other[:, places])

        low, high = bootstrap(truth, less)
        told.append(f"{figure(truth, own) - figure(truth, other):+.3f} [{low:+.3f}, {high:+.3f}]")
    return "".join(f"{each:>26}" for each in told)


def again(made: Trained, series: Mapping[str, DailySeries], weeks: Weeks, lines: Lines) -> None:
    """What the saved version measures, and takes, as it is served."""
    forecaster = DemandForecaster.load(artifact.load(made.path))
    began = time.perf_counter()
    forecasts = [forecaster.forecast(series, night) for night in weeks.test_nights]
    took = (time.perf_counter() - began) / sum(map(len, forecasts))
    methods: dict[str, int] = {}
    for night in forecasts:
        for each in night.values():
            methods[each.method] = methods.get(each.method, 0) + 1
    lines.say(f"as it is served: {took * 1_000:.0f} ms a SKU; {methods}")


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="the invoice lines, as Parquet")
    parser.add_argument("--skus", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=2, help="processes that fit Prophet")
    parser.add_argument("--zone", type=ZoneInfo, default=ZoneInfo("Europe/London"))
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        lines = Lines()
        store = fill(args.data, f"sqlite:///{folder}/retail.db", guests=True)
        lines.say("counted")
        series, weeks = known_series(store, args.zone)
        lines.say(f"{len(series):,} series until {weeks.end}")
        # spawned: XGBoost's threads survive no fork
        with ProcessPoolExecutor(args.jobs, get_context("spawn")) as pool:

            def spread(asked: Sequence[tuple[DailySeries, date]]) -> Iterable[Floats]:
                return pool.map(fit, asked, chunksize=10)

            made = train(series, weeks, args.skus, Path(folder), provenance(store, "numpy"), lines, spread)
        for name, value in made.metadata.recipe.parameters.items():
            if name in ("prophet_weight", "stretch", "mean_factor"):
                lines.say(f"{name} {value:.3f}")
        best = best_selling(series, weeks.test_nights[0], args.skus)
        own = joined(made.measured, made.blend, made.calibration)
        report(made.measured, own)
        for line in total_lines(made.calibrated_on, made.measured, own, made.calibration):
            print(line)
        again(made, dict(list(best.items())[:50]), weeks, lines)
        store.close()


if __name__ == "__main__":
    main()
