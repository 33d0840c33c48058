"""Churn prediction on real customers, beside the days since the last order alone.

    python -m benchmarks.churn --data online_retail.parquet

The retailer's invoices go as events through the pipeline's extraction into an offline store; the model is
trained as `signalbox train churn` does, and measured on weeks after everything that it was fitted on: on all
customers of the last 90 days, and on those who became inactive just then, which is when it is asked.
Intervals are of 95 %, by bootstrap over customers.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from benchmarks.online_retail import TENANT, fill
from events.inactivity import DAY_MS
from features.offline.store import OfflineStore
from features.retail import CUSTOMER_ORDERS
from training.churn_dataset import Examples, Floats, Ints, examples, examples_at, known_days
from training.churn_evaluation import calibration, evaluate
from training.churn_fit import Fitted, fit, recency_alone
from training.churn_split import Split, day

HORIZON_DAYS = 30
RESAMPLES = 1_000
WIDTH = 50


class Printed:
    """A progress that prints its steps."""

    def say(self, message: str) -> None:
        """A line."""
        print(message, flush=True)

    def tree(self, grown: int, of: int) -> None:
        """Nothing."""


def became_inactive(
    store: OfflineStore, customers: list[str], since: int, until: int
) -> tuple[list[str], Ints]:
    """Each moment between at which a customer had ordered nothing for `HORIZON_DAYS`, and who that was."""
    history = store.increments(CUSTOMER_ORDERS, [(TENANT, customer) for customer in customers])
    order = np.lexsort((history.tile, history.of))
    of, at = history.of[order], history.tile[order] * CUSTOMER_ORDERS.tile_ms + HORIZON_DAYS * DAY_MS
    following = np.append(at[1:] - HORIZON_DAYS * DAY_MS, until)
    following[np.append(of[1:] != of[:-1], True)] = until
    places = np.flatnonzero((at >= since) & (at <= until) & (following >= at))
    return [customers[place] for place in of[places].tolist()], at[places]


def intervals(rows: Examples, said: Mapping[str, Floats]) -> dict[str, dict[str, tuple[float, float, float]]]:
    """By name and figure: the figure, and between what it lies; the differences from the first as well."""
    names = list(said)
    rng = np.random.default_rng(7)
    _, who = np.unique(rows.customers, return_inverse=True)
    places = [np.flatnonzero(who == number) for number in range(who.max() + 1)]
    drawn = []
    for _ in range(RESAMPLES):
        chosen = np.concatenate([places[number] for number in rng.integers(len(places), size=len(places))])
        drawn.append(_figures(rows.stayed_away[chosen], {name: said[name][chosen] for name in names}))
    seen = _figures(rows.stayed_away, said)
    return {
        name: {
            figure: (value, *np.quantile([each[name][figure] for each in drawn], (0.025, 0.975)).tolist())
            for figure, value in figures.items()
        }
        for name, figures in seen.items()
    }


def _figures(labels: Ints, said: Mapping[str, Floats]) -> dict[str, dict[str, float]]:
    found = {name: evaluate(labels, probabilities) for name, probabilities in said.items()}
    (ours, model), *others = found.items()
    for name, figures in others:
        found[f"{ours} - {name}"] = {figure: model[figure] - value for figure, value in figures.items()}
    return found


def table(found: Mapping[str, Mapping[str, tuple[float, float, float]]]) -> Iterator[str]:
    """A line for each name."""
    figures = list(next(iter(found.values())))
    yield f"{'':42}" + "".join(f"{figure:>28}" for figure in figures)
    for name, row in found.items():
        cells = (f"{value:.4f} [{low:.4f}, {high:.4f}]" for value, low, high in row.values())
        yield f"{name:42}" + "".join(f"{cell:>28}" for cell in cells)


def plot(labels: Ints, probabilities: Floats) -> Iterator[str]:
    """What was said (o) and how often it came so (x), from 0 to 1, a line for each tenth of the customers."""
    for part in calibration(labels, probabilities):
        line = [" "] * (WIDTH + 1)
        line[round(part.predicted * WIDTH)] = "o"
        line[round(part.observed * WIDTH)] = "x" if line[round(part.observed * WIDTH)] == " " else "*"
        yield f"  said {part.predicted:.3f}  came {part.observed:.3f}  {part.rows:6,}  |{''.join(line)}|"


def compare(title: str, rows: Examples, found: Examples, split: Split, fitted: Fitted) -> bool:
    """Print the table and the plot of some customers; whether the model beats recency alone beyond doubt."""
    probabilities = fitted.probabilities(rows.matrix)
    base_rate = np.full(len(rows.at), fitted.calibration.base_rate)
    said = {
        "model": probabilities,
        "model, not calibrated": np.asarray(fitted.booster.predict(rows.matrix, num_threads=1)),
        "recency alone": recency_alone(found, split, rows.matrix),
        "base rate": base_rate,
    }
    away = int(rows.stayed_away.sum())
    print(
        f"\n{title}: {len(rows.at):,} moments of {len(set(rows.customers)):,} customers, {away:,} stayed away"
    )
    told = intervals(rows, said)
    print("\n".join(table(told)))
    print("\n".join(plot(rows.stayed_away, probabilities)))
    difference = told["model - recency alone"]
    return difference["auc_roc"][1] > 0 and difference["brier"][2] < 0


def main() -> int:
    """0 if the model beats recency alone in both figures, on both kinds of customers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="signalbox-churn-") as folder:
        store = fill(args.data, f"sqlite:///{folder}/retail.db", guests=False)
        since, last = known_days(store, TENANT)
        until = last + DAY_MS  # the file ends with a whole day
        split = Split.before(until, since, HORIZON_DAYS)
        found = examples(store, TENANT, split)
        fitted = fit(found, split, Printed())
        print(f"calibration: {fitted.calibration}")
        customers = sorted(set(found.customers))
        whose, at = became_inactive(store, customers, split.test[0], until - HORIZON_DAYS * DAY_MS)
        inactive = examples_at(store, TENANT, whose, at, HORIZON_DAYS)
        store.close()
    weeks = f"weekly from {day(split.test[0])} to {day(split.test[-1])}"
    better = [
        compare(f"all customers, {weeks}", found.of(split.test), found, split, fitted),
        compare(f"as they became inactive, {weeks}", inactive, found, split, fitted),
    ]
    print("\nbeats recency alone" if all(better) else "\ndoes NOT beat recency alone")
    return 0 if all(better) else 1


if __name__ == "__main__":
    sys.exit(main())
