"""The forecast of a SKU with too little of a past."""

import numpy as np
import pytest

from models.forecast_fallback import Kind, kind_of, nothing, now_and_then, tsb
from models.forecasting import DailySeries
from tests.unit.models import demand as shop
from tests.unit.models.demand import series, weekly


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(series([]), "unsold", id="nothing is known of it"),
        pytest.param(series([0, 0, 0]), "unsold", id="nothing was sold"),
        pytest.param(series([1] * 27), "new", id="a day is missing to four weeks"),
        pytest.param(series([1] * 28), "regular", id="four weeks of sales"),
        pytest.param(series([1] * 7 + [0] * 21), "intermittent", id="seven days with sales are too few"),
        pytest.param(series([1] * 8 + [0] * 20), "regular", id="eight will do"),
        pytest.param(series([1] * 60 + [0] * 84), "intermittent", id="it is no longer sold"),
        pytest.param(shop.now_and_then(), "intermittent", id="every third week"),
        pytest.param(weekly(), "regular", id="each day but Saturday"),
    ],
)
def test_who_forecasts_a_sku(known: DailySeries, expected: Kind) -> None:
    assert kind_of(known) == expected


def test_tsb_comes_close_to_what_is_sold_a_day_on_average() -> None:
    known = shop.now_and_then(420).demand
    a_cycle = [np.prod(tsb(known[:days])) for days in range(399, 420)]
    assert np.mean(a_cycle) == pytest.approx(3 / 21, rel=0.1)


def test_tsb_forgets_what_is_no_longer_sold() -> None:
    sold = np.array([5.0] * 20)
    assert np.prod(tsb(np.append(sold, np.zeros(60)))) < 0.02 * np.prod(tsb(sold))


def test_the_mean_of_now_and_then_counts_the_bulk_orders_that_its_median_leaves_out() -> None:
    demand = np.zeros(420)
    demand[::21], demand[::210] = 3.0, 60.0
    pasts = [demand[:days] for days in range(315, 420)]
    forecasts = [now_and_then(series(past)) for past in pasts]
    sold = np.mean([past.mean() for past in pasts])
    assert np.mean([each.mean[0] for each in forecasts]) == pytest.approx(sold, rel=0.1)
    assert np.mean([each.median[0] for each in forecasts]) < 0.5 * sold


def test_the_total_of_now_and_then_is_what_its_own_weeks_brought() -> None:
    totals = now_and_then(shop.now_and_then()).totals
    assert totals[6].tolist() == [0.0, 3.0, 3.0, 3.0]
    assert (np.diff(totals, axis=0) >= 0).all()


def test_now_and_then_is_a_level_line_within_its_interval() -> None:
    forecast = now_and_then(shop.now_and_then())
    assert forecast.method == "TSB"
    assert len(set(forecast.mean.tolist())) == 1
    assert (forecast.low <= forecast.median).all()
    assert (forecast.median <= forecast.high).all()


def test_of_what_was_never_sold_nothing_is_expected() -> None:
    forecast = nothing()
    assert (forecast.mean.sum(), forecast.high.sum(), forecast.method) == (0, 0, "nothing sold")
