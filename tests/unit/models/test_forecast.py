"""A saved forecaster forecasts every SKU, whatever its past, and is refused where it is not whole."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from models import artifact
from models.artifact import METADATA_FILE, BrokenModelError, Metadata
from models.forecast import BLEND, CALIBRATION, POINT_TREES, WEEK_TREES, DemandForecaster
from models.forecast_parts import Blend, Trees, join
from models.forecast_totals import Calibration, Reference, Residuals, total_quantiles
from models.forecasting import HORIZON_DAYS, LONGEST_DAYS, QUANTILES, DailySeries
from tests.unit.models import demand
from tests.unit.models.demand import WEEK, WEEKS, series, trained, weekly

NIGHT = WEEKS.end
LINE = np.ones(HORIZON_DAYS)


@pytest.fixture(scope="module")
def forecaster() -> DemandForecaster:
    return DemandForecaster.load(artifact.load(trained().path))


def ending(days: list[float]) -> DailySeries:
    """A series whose last day is the night's eve."""
    return series(days, NIGHT - timedelta(days=len(days)))


@pytest.mark.parametrize(
    ("known", "method"),
    [
        pytest.param(weekly(), "ensemble", id="sold all year"),
        pytest.param(ending([2.0, 3.0, 0.0]), "xgboost", id="new since the day before yesterday"),
        pytest.param(ending([2.0]), "xgboost", id="new since yesterday"),
        pytest.param(demand.now_and_then(), "TSB", id="sold now and then"),
        pytest.param(ending([]), "nothing sold", id="never sold"),
        pytest.param(ending([0.0] * 200), "nothing sold", id="in the books, and never sold"),
        pytest.param(ending([5.0] * 90), "ensemble", id="the same each day"),
        pytest.param(ending([1.0] * 89 + [1e6]), "ensemble", id="a bulk order yesterday"),
    ],
)
def test_every_past_has_a_forecast(forecaster: DemandForecaster, known: DailySeries, method: str) -> None:
    made = forecaster.forecast({"sku": known}, NIGHT)["sku"]
    assert made.method == method
    for line in (made.mean, made.median, made.low, made.high):
        assert line.shape == (LONGEST_DAYS,)
        assert np.isfinite(line).all()
        assert (line >= 0).all()
    assert (made.low <= made.median).all()
    assert (made.median <= made.high).all()
    for quantiles in (made.quantiles, made.totals):
        assert quantiles.shape == (LONGEST_DAYS, len(QUANTILES))
        assert np.isfinite(quantiles).all()
        assert (np.diff(quantiles, axis=1) >= 0).all()
    assert made.quantiles[:, 0].tolist() == made.median.tolist()
    # a longer horizon never has less
    assert (np.diff(made.totals, axis=0) >= 0).all()


def test_a_week_that_comes_again_is_foretold(forecaster: DemandForecaster) -> None:
    made = forecaster.forecast({"sku": weekly(scale=10.0)}, NIGHT)["sku"]
    assert made.median == pytest.approx(np.tile(WEEK * 10, 4), abs=15)
    assert made.median[5] < 2
    week = made.totals[HORIZON_DAYS - 1]
    assert week[0] == pytest.approx(WEEK.sum() * 10, rel=0.15)
    assert week[0] < week[-1] < 2 * week[0]
    assert made.mean[:HORIZON_DAYS].sum() == pytest.approx(WEEK.sum() * 10, rel=0.15)


def test_a_forecast_is_the_same_whatever_else_is_asked_for(forecaster: DemandForecaster) -> None:
    known = {f"sku-{seed}": weekly(seed=seed) for seed in (1, 2, 3)}
    alone = forecaster.forecast({"sku-2": known["sku-2"]}, NIGHT)["sku-2"]
    among = forecaster.forecast(known, NIGHT)["sku-2"]
    assert alone.mean.tolist() == among.mean.tolist()
    assert alone.high.tolist() == among.high.tolist()


def test_what_comes_after_the_night_is_not_looked_at(forecaster: DemandForecaster) -> None:
    night = NIGHT - timedelta(days=3)
    known = weekly()
    of_past = forecaster.forecast({"sku": known.before(night)}, night)["sku"]
    assert forecaster.forecast({"sku": known}, night)["sku"].mean.tolist() == of_past.mean.tolist()


def test_an_empty_call_has_an_empty_answer(forecaster: DemandForecaster) -> None:
    assert forecaster.forecast({}, date(2026, 1, 1)) == {}


FLAT = Calibration(1.0, (), (Residuals((0.0, 1.0, 2.0, 3.0), ((0.0, 1.0, 2.0, 3.0),) * 4),))
"""A quantile is so many scales above the reference."""


@pytest.mark.parametrize(
    ("prophet", "median", "high", "method"),
    [
        pytest.param(4.0, 2.5, 8.0, "ensemble", id="both, by their weights"),
        pytest.param(None, 2.0, 8.0, "xgboost", id="no fit: the trees alone"),
        pytest.param(40.0, 11.5, 11.5, "ensemble", id="the end gives way"),
    ],
)
def test_how_two_parts_become_one(prophet: float | None, median: float, high: float, method: str) -> None:
    trees = Trees(2 * LINE, 3.8 * LINE, 4 * LINE, week=14.0)
    fitted = None if prophet is None else np.full(LONGEST_DAYS, prophet)
    made = join(weekly(), trees, fitted, Blend(0.25, 2.0), FLAT)
    assert made.method == method
    for line, expected in ((made.median, median), (made.low, 1.0), (made.high, high)):
        assert line.tolist() == [expected] * LONGEST_DAYS


def test_a_mean_is_between_the_points_and_the_week_by_the_factor_of_the_calibration() -> None:
    trees = Trees(2 * LINE, LINE, 4 * LINE, week=28.0)
    made = join(weekly(), trees, None, Blend(0.25, 2.0), replace(FLAT, factor=1.1))
    # points of 2 a day, a week of 4 a day
    assert made.mean == pytest.approx(np.full(LONGEST_DAYS, 3.3))


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        pytest.param(0.1, 0.0, id="below the border: the first group"),
        pytest.param(10.0, 5.0, id="above it: the second"),
    ],
)
def test_a_sku_has_the_residuals_of_those_that_sell_as_much(level: float, expected: float) -> None:
    flat = [Residuals((each,) * 4, ((each,) * 4,) * 4) for each in (0.0, 5.0)]
    found = Reference(np.zeros(LONGEST_DAYS), np.ones(LONGEST_DAYS), level)
    totals = total_quantiles(found, Calibration(1.0, (1.0,), tuple(flat)))
    assert totals[0].tolist() == [expected] * 4


def test_a_version_without_a_calibration_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = broken(tmp_path, BLEND, (trained().path / BLEND).read_bytes())
    metadata = trained().metadata
    kept = [name for name in metadata.files if name not in (WEEK_TREES, CALIBRATION)]
    files = {name: (path / name).read_bytes() for name in kept}
    (path / METADATA_FILE).write_bytes(Metadata.of(files, metadata.recipe, metadata.provenance).encode())
    with pytest.raises(BrokenModelError, match=r"no week\.ubj and no calibration\.json: .* `signalbox train"):
        DemandForecaster.load(artifact.load(path))


def broken(folder: Path, name: str, content: bytes) -> Path:
    """The trained version with another file, which its metadata know of."""
    path = folder / "1"
    shutil.copytree(trained().path, path)
    metadata = trained().metadata
    files = {each: (path / each).read_bytes() for each in metadata.files} | {name: content}
    (path / name).write_bytes(content)
    (path / METADATA_FILE).write_bytes(Metadata.of(files, metadata.recipe, metadata.provenance).encode())
    return path


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        pytest.param(BLEND, b"{}", "blend.json cannot be read", id="no blend"),
        pytest.param(CALIBRATION, b"{}", "calibration.json cannot be read", id="no calibration"),
        pytest.param(
            CALIBRATION,
            b'{"factor": 1, "borders": [1.0], "groups": []}',
            "calibration.json cannot be read: 1 borders have 0 groups",
            id="a group lacks",
        ),
        pytest.param(BLEND, b'{"prophet": 2, "stretch": 1}', "blend.json cannot be read", id="no weight"),
        pytest.param(POINT_TREES, b"no trees", "XGBoost cannot read mean.ubj", id="no trees"),
    ],
)
def test_a_version_that_cannot_be_served_is_refused(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    with pytest.raises(BrokenModelError, match=reason):
        DemandForecaster.load(artifact.load(broken(tmp_path, name, content)))
