"""A small shop's daily demand, and a forecaster that is really trained on it."""

import tempfile
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from models.forecasting import DailySeries, Floats
from tests.trained import PROVENANCE, Silent
from training.forecast import Trained, train
from training.forecast_split import Weeks

MONDAY = date(2026, 1, 5)
DAYS = 210
WEEK = np.array([5.0, 4.0, 4.0, 6.0, 8.0, 0.0, 2.0])
"""On Saturdays the shop is closed."""


def series(demand: Sequence[float] | Floats, first: date = MONDAY, price: float = 2.0) -> DailySeries:
    """A price on each day on which anything was sold."""
    pieces = np.asarray(demand, np.float64)
    return DailySeries(first, pieces, np.where(pieces > 0, price, np.nan))


def weekly(scale: float = 1.0, days: int = DAYS, seed: int = 1) -> DailySeries:
    """A week that comes again and again, give or take."""
    rng = np.random.default_rng(seed)
    return series(rng.poisson(np.tile(WEEK, days // 7) * scale).astype(np.float64))


def now_and_then(days: int = DAYS) -> DailySeries:
    """Three pieces every third week."""
    demand = np.zeros(days)
    demand[::21] = 3.0
    return series(demand)


@cache
def shop() -> dict[str, DailySeries]:
    """Thirty SKUs of all sizes."""
    return {f"sku-{number}": weekly(scale=0.5 + number, seed=number) for number in range(30)}


WEEKS = Weeks(shop()["sku-0"].end, blend=1, test=1)


def train_shop(folder: Path, skus: dict[str, DailySeries] | None = None, weeks: Weeks = WEEKS) -> Trained:
    """Blended and measured on five SKUs."""
    return train(skus or shop(), weeks, 5, folder, PROVENANCE, Silent())


@cache
def trained() -> Trained:
    """The same for all tests: do not write there."""
    return train_shop(Path(tempfile.mkdtemp(prefix="signalbox-test-")))
