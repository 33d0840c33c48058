"""The same past gives the same forecaster, and nothing later is looked at."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from events.errors import ConfigError
from models import artifact
from models.forecasting import DailySeries
from models.recipe import lacks
from tests.unit.models.demand import (
    DAYS,
    MONDAY,
    WEEKS,
    now_and_then,
    series,
    shop,
    train_shop,
    trained,
    weekly,
)
from training.forecast import best_selling
from training.forecast_rows import ahead, fitting_rows
from training.forecast_split import Weeks


def test_weeks_follow_each_other_and_end_where_they_should() -> None:
    weeks = Weeks(date(2026, 8, 3), blend=2, test=1)
    assert weeks.fit_end == date(2026, 7, 13)
    assert weeks.blend_nights == (date(2026, 7, 13), date(2026, 7, 20))
    assert weeks.test_nights == (date(2026, 7, 27),)


def test_the_same_past_gives_the_same_digest_and_what_comes_later_changes_nothing(tmp_path: Path) -> None:
    later = {sku: _longer(each) for sku, each in shop().items()}
    assert train_shop(tmp_path, later).metadata.digest == trained().metadata.digest


def test_another_past_gives_another_digest(tmp_path: Path) -> None:
    other = {**shop(), "sku-0": weekly(seed=99)}
    assert train_shop(tmp_path, other).metadata.digest != trained().metadata.digest


def test_a_version_says_all_that_a_registration_asks_for() -> None:
    metadata = trained().metadata
    assert lacks(metadata.recipe, metadata.provenance) == ()
    data = metadata.recipe.data
    assert (data.first, data.last) == (str(MONDAY), str(MONDAY + timedelta(days=DAYS - 1)))
    assert data.ranges["test"] == f"{WEEKS.test_nights[0]} to {data.last}"


def test_it_beats_last_week_on_a_shop_whose_weeks_are_alike() -> None:
    metrics = trained().metadata.recipe.metrics
    assert metrics["wape"] < metrics["naive_wape"]
    assert metrics["mase"] < metrics["naive_mase"]


def test_any_version_can_be_measured_as_training_measured_it() -> None:
    made = trained()
    version = artifact.load(made.path)
    found = made.bench.metrics(version)
    assert found["wape"] == pytest.approx(made.metadata.recipe.metrics["wape"])
    assert found["coverage"] == pytest.approx(made.metadata.recipe.metrics["coverage"])
    assert made.bench.latency_ms(version, 2) > 0


@pytest.mark.parametrize(
    ("skus", "message"),
    [
        pytest.param({}, "nothing was sold", id="an empty store"),
        pytest.param({"sku-1": weekly(days=105)}, "the first sale is of 2026-01-05", id="too short a past"),
    ],
)
def test_too_little_of_a_past_is_refused(tmp_path: Path, skus: dict[str, DailySeries], message: str) -> None:
    weeks = Weeks(MONDAY + timedelta(days=105), blend=1, test=1)
    with pytest.raises(ConfigError, match=message):
        train_shop(tmp_path, skus or {"sku-1": weekly(days=0)}, weeks)


def test_a_shop_that_sells_each_sku_now_and_then_has_nothing_to_learn_from(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none of 1 SKUs was sold often enough before 2026-07-20"):
        train_shop(tmp_path, {"sku-1": now_and_then()})


def test_the_best_selling_are_those_that_were_so_before_the_night() -> None:
    night = (WEEKS.test_nights[0] - MONDAY).days
    early, late = np.zeros(DAYS), np.zeros(DAYS)
    early[0], late[night] = 5, 500
    skus = {"late": DailySeries(MONDAY, late, late), "early": DailySeries(MONDAY, early, early)}
    assert list(best_selling(skus, WEEKS.test_nights[0], 1)) == ["early"]


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        pytest.param(-9, [10, 11, 12, 13, 14, 15, 16], id="it was sold before the night"),
        pytest.param(2, [0, 0, 1, 2, 3, 4, 5], id="it was launched within the week"),
        pytest.param(7, [0] * 7, id="it was launched after the week"),
        pytest.param(90, [0] * 7, id="it was launched long after"),
    ],
)
def test_the_week_after_a_night_is_seven_days_of_the_calendar(first: int, expected: list[float]) -> None:
    launched = series(np.arange(1.0, 31.0), MONDAY + timedelta(days=first))
    assert ahead(launched, MONDAY).tolist() == expected


def test_a_sku_that_was_launched_after_the_blend_weeks_is_trained_and_measured_with(tmp_path: Path) -> None:
    launched = WEEKS.test_nights[0] - timedelta(days=2)
    skus = {**shop(), "hit": series([50_000.0] * (WEEKS.end - launched).days, launched)}
    made = train_shop(tmp_path, skus)
    assert "hit" in best_selling(skus, WEEKS.test_nights[0], 5)
    assert "hit" not in best_selling(skus, WEEKS.blend_nights[0], 5)
    assert made.measured.truth.actual.shape == (1, 5, 7)
    assert made.measured.truth.actual.max() == 50_000


def test_a_version_says_on_how_many_forecasts_it_was_blended_and_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.forecast.BLEND_SKUS", 2)
    rows = train_shop(tmp_path).metadata.recipe.data.rows
    # blended on two of the five that it is calibrated on
    assert (rows["blend"], rows["test"]) == (5, 5)


def test_a_row_to_fit_on_has_the_week_after_its_night_as_its_target() -> None:
    known = {"sku": weekly()}
    rows = fitting_rows(known, WEEKS.fit_end)
    newest = WEEKS.fit_end - timedelta(days=7)
    assert (rows.raw * rows.level)[:7].tolist() == pytest.approx(ahead(known["sku"], newest).tolist())
    assert (rows.capped <= rows.raw).all()


def _longer(series: DailySeries) -> DailySeries:
    more = np.full(30, 7.0)
    return DailySeries(series.first, np.append(series.demand, more), np.append(series.price, more))
