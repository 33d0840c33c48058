"""Parts are joined by what did best, and the bounds moved until they hold what they say."""

from dataclasses import replace

import numpy as np
import pytest

from events.errors import ConfigError
from models.forecast_parts import Blend, Trees
from models.forecast_totals import Calibration, Residuals
from models.forecasting import COVERAGE, HORIZON_DAYS, LONGEST_DAYS, QUANTILES, Floats
from tests.unit.models.demand import now_and_then, weekly
from training.accuracy import Truth, bias, coverage, covered
from training.forecast_calibrating import calibrate
from training.forecast_choosing import choose
from training.forecast_measuring import Measured, Seen, joined, metrics

SKUS = 200
LINE = np.ones(HORIZON_DAYS)
LONG = np.ones(LONGEST_DAYS)
FLAT = Calibration(1.0, (), (Residuals((0.0,) * 4, ((0.0,) * 4,) * 4),))
SOLD = np.random.default_rng(7).poisson(10, (1, SKUS, HORIZON_DAYS)).astype(np.float64)


def measured(trees: float, prophet: float, low: float = 5.0, high: float = 15.0) -> Measured:
    """About ten pieces a day were sold; the parts say this of each."""
    said = Trees(trees * LINE, low * LINE, high * LINE, trees * HORIZON_DAYS)
    seen = tuple(Seen(weekly(), "regular", said, prophet * LONG, _later(sold)) for sold in SOLD[0])
    return Measured(Truth(SOLD, np.ones((1, SKUS))), (seen,), np.full(SOLD.shape, 20.0))


@pytest.mark.parametrize(
    ("trees", "prophet", "expected"),
    [
        pytest.param(10.0, 30.0, 0.0, id="Prophet is far off"),
        pytest.param(30.0, 10.0, 1.0, id="the trees are"),
        pytest.param(0.0, 20.0, 0.5, id="the truth lies half-way"),
    ],
)
def test_the_part_that_did_better_weighs_more(trees: float, prophet: float, expected: float) -> None:
    assert choose(measured(trees, prophet)).prophet == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(
    ("off", "expected"),
    [
        pytest.param(((11.0, 10.0), (10.0, 10.5)), 0.0, id="one SKU speaks for Prophet, one against it"),
        pytest.param(((11.0, 10.0), (11.0, 10.0), (11.0, 10.0)), 1.0, id="three SKUs speak for it"),
    ],
)
def test_of_weights_that_chance_does_not_tell_apart_the_least_is_taken(
    off: tuple[tuple[float, float], ...], expected: float
) -> None:
    said = (*off, *[(10.0, 10.0)] * (SKUS - len(off)))
    seen = tuple(
        Seen(weekly(), "regular", Trees(trees * LINE, 5 * LINE, 15 * LINE, 70.0), prophet * LONG, 10 * LONG)
        for trees, prophet in said
    )
    truth = Truth(np.full(SOLD.shape, 10.0), np.ones((1, SKUS)))
    assert choose(Measured(truth, (seen,), np.full(SOLD.shape, 20.0))).prophet == expected


@pytest.mark.parametrize(
    ("low", "high"),
    [
        pytest.param(9.0, 10.5, id="too narrow"),
        pytest.param(0.0, 100.0, id="far too high"),
        pytest.param(14.0, 15.0, id="all above what is sold"),
        pytest.param(5.0, 0.0, id="an upper end of nothing"),
    ],
)
def test_bounds_are_moved_until_they_hold_what_they_say(low: float, high: float) -> None:
    found = measured(10.0, 10.0, low, high)
    blend = choose(found)
    own = joined(found, blend, FLAT)
    assert np.isfinite(blend.stretch)
    assert COVERAGE <= coverage(found.truth, own.low, own.high) < COVERAGE + 0.12


def with_others(found: Measured, others: int) -> Measured:
    """The last so many of the SKUs are sold now and then, and the trees are far off with them."""
    (night,) = found.seen
    other = Seen(now_and_then(), "intermittent", Trees(LINE, LINE, LINE, 7.0), LONG, LONG)
    return Measured(found.truth, ((*night[: SKUS - others], *[other] * others),), found.naive)


def test_bounds_are_moved_by_those_skus_alone_that_they_are_of() -> None:
    found = measured(10.0, 10.0)
    sold = found.truth.actual[:, : SKUS // 2]
    (night,) = found.seen
    half = Measured(
        Truth(sold, found.truth.scale[:, : SKUS // 2]), (night[: SKUS // 2],), found.naive[:, : SKUS // 2]
    )
    assert choose(with_others(found, SKUS // 2)).stretch == choose(half).stretch


def test_without_a_sku_that_has_bounds_nothing_is_joined() -> None:
    with pytest.raises(
        ConfigError, match="that the parts are joined on was sold regularly: join them on more weeks"
    ):
        choose(with_others(measured(10.0, 10.0), SKUS))


def test_a_sku_that_is_sold_now_and_then_is_joined_by_nothing() -> None:
    said = Trees(50 * LINE, 50 * LINE, 50 * LINE, 350.0)
    seen = Seen(now_and_then(), "intermittent", said, 50 * LONG, LONG)
    naive: Floats = np.zeros((1, 1, HORIZON_DAYS))
    found = Measured(Truth(naive + 1, np.ones((1, 1))), ((seen,),), naive)
    assert joined(found, Blend(0.5, 1.0), FLAT).mean.max() < 1


def test_each_part_is_measured_beside_the_whole() -> None:
    parts = measured(10.0, 30.0)
    found = metrics(parts, joined(parts, Blend(0.0, 1.0), FLAT))
    assert found["wape"] == found["xgboost_wape"] < found["prophet_wape"]
    assert found["bias"] == pytest.approx(0, abs=0.02)
    assert {"mase", "naive_mase", "weekly_wape", "coverage", "pinball_50", "covered_95"} <= found.keys()


def test_a_calibrated_total_holds_what_it_says_and_its_mean_is_what_was_sold() -> None:
    found = measured(5.0, 5.0)
    blend = Blend(0.5, 1.0)
    calibration = calibrate(found, blend)
    own = joined(found, blend, calibration)
    # half of what was sold was foretold
    assert bias(found.truth, own.mean) == pytest.approx(0, abs=0.001)
    for place, level in enumerate(QUANTILES):
        assert covered(found.truth, own.total[..., place], level) == pytest.approx(level, abs=0.07)


def test_days_that_are_not_to_be_looked_at_teach_nothing() -> None:
    found = measured(10.0, 10.0)
    (night,) = found.seen
    week = np.where(np.arange(LONGEST_DAYS) < HORIZON_DAYS, 1.0, np.nan)
    cut = tuple(replace(each, later=each.later * week) for each in night)
    made = calibrate(replace(found, seen=(cut,)), Blend(0.5, 1.0))
    for group in made.groups:
        _, of_week, *longer = group.totals
        assert longer == [of_week, of_week]


def test_no_group_is_so_small_that_it_has_no_tail() -> None:
    found = measured(10.0, 10.0)
    few = Measured(found.truth, (found.seen[0][:60],), found.naive)
    assert len(calibrate(few, Blend(0.5, 1.0)).groups) == 1


def _later(week: Floats) -> Floats:
    return np.tile(week, LONGEST_DAYS // HORIZON_DAYS)
