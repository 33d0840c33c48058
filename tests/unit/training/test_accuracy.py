"""Each figure as one works it out by hand."""

import numpy as np
import pytest

from training.accuracy import Truth, bias, bootstrap, coverage, mase, scale_of, wape, weekly_wape

# one night, two SKUs, two days
ACTUAL = np.array([[[10.0, 0.0], [2.0, 4.0]]])
FORECAST = np.array([[[8.0, 2.0], [2.0, 2.0]]])
TRUTH = Truth(ACTUAL, np.array([[4.0, 1.0]]))


def test_the_figures_of_two_skus() -> None:
    assert wape(TRUTH, FORECAST) == pytest.approx(6 / 16)
    assert mase(TRUTH, FORECAST) == pytest.approx((2 / 4 + 1 / 1) / 2)
    assert bias(TRUTH, FORECAST) == pytest.approx(14 / 16 - 1)
    assert weekly_wape(TRUTH, FORECAST) == pytest.approx(2 / 16)
    assert coverage(TRUTH, FORECAST - 1, FORECAST + 1) == pytest.approx(1 / 4)


def test_who_has_no_scale_is_left_out_of_mase() -> None:
    truth = Truth(ACTUAL, np.array([[np.nan, 1.0]]))
    assert mase(truth, FORECAST) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("demand", "expected"),
    [
        pytest.param([1.0] * 7, np.nan, id="a week has no week before"),
        pytest.param([1.0] * 7 + [3.0], 2.0, id="the eighth day has one"),
        pytest.param([1.0] * 14 + [2.0] * 7, 0.5, id="the mean over all that have"),
    ],
)
def test_the_scale_is_what_last_week_would_have_been_off(demand: list[float], expected: float) -> None:
    assert scale_of(np.array(demand)) == pytest.approx(expected, nan_ok=True)


def test_skus_are_drawn_whole_and_the_same_draws_come_again() -> None:
    def share_of_first(_truth: Truth, places: "np.ndarray[tuple[int, ...], np.dtype[np.intp]]") -> float:
        return float((places == 0).mean())

    drawn = bootstrap(TRUTH, share_of_first)
    assert drawn == (0.0, 1.0)
    assert drawn == bootstrap(TRUTH, share_of_first)
