"""A saved forecaster forecasts every SKU, whatever its past, and is refused where it is not whole."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from models import artifact
from models.artifact import METADATA_FILE, BrokenModelError, Metadata
from models.forecast import BLEND, MEAN_TREES, DemandForecaster
from models.forecast_parts import Blend, Trees, join
from models.forecasting import HORIZON_DAYS, DailySeries, Forecast
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
    assert made.mean.shape == made.low.shape == made.high.shape == (HORIZON_DAYS,)
    assert np.isfinite(made.high).all()
    assert (made.low >= 0).all()
    assert (made.low <= made.mean).all()
    assert (made.mean <= made.high).all()


def test_a_week_that_comes_again_is_foretold(forecaster: DemandForecaster) -> None:
    made = forecaster.forecast({"sku": weekly(scale=10.0)}, NIGHT)["sku"]
    assert made.mean == pytest.approx(WEEK * 10, abs=15)
    assert made.mean[5] < 2


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


@pytest.mark.parametrize(
    ("prophet", "expected"),
    [
        pytest.param(4.0, Forecast(2.5 * LINE, LINE, 8 * LINE, "ensemble"), id="both, by their weights"),
        pytest.param(None, Forecast(2 * LINE, LINE, 8 * LINE, "xgboost"), id="no fit: the trees alone"),
        pytest.param(40.0, Forecast(11.5 * LINE, LINE, 11.5 * LINE, "ensemble"), id="the end gives way"),
    ],
)
def test_how_two_parts_become_one(prophet: float | None, expected: Forecast) -> None:
    trees = Trees(2 * LINE, 3.8 * LINE, 4 * LINE)
    made = join(trees, None if prophet is None else prophet * LINE, Blend(0.25, 2.0))
    assert made.method == expected.method
    for name in ("mean", "low", "high"):
        assert getattr(made, name).tolist() == getattr(expected, name).tolist()


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
        pytest.param(BLEND, b'{"prophet": 2, "stretch": 1}', "blend.json cannot be read", id="no weight"),
        pytest.param(MEAN_TREES, b"no trees", "XGBoost cannot read mean.ubj", id="no trees"),
    ],
)
def test_a_version_that_cannot_be_served_is_refused(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    with pytest.raises(BrokenModelError, match=reason):
        DemandForecaster.load(artifact.load(broken(tmp_path, name, content)))
