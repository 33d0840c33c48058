"""Night and weekend, against the calendar of the standard library."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.calendar import night, weekend


@given(st.integers(0, 253_402_300_799))
def test_the_calendar_of_the_standard_library_agrees(second: int) -> None:
    moment = datetime.fromtimestamp(second, UTC)
    assert weekend(np.array([second]))[0] == (moment.weekday() >= 5)
    assert night(np.array([second]))[0] == (moment.hour <= 6)


@pytest.mark.parametrize(
    ("moment", "is_weekend", "is_night"),
    [
        pytest.param("2018-06-29T23:59:59", False, False, id="late on a Friday evening"),
        pytest.param("2018-06-30T00:00:00", True, True, id="midnight to Saturday"),
        pytest.param("2018-07-01T07:00:00", True, False, id="Sunday at seven in the morning"),
        pytest.param("2018-07-02T06:59:59", False, True, id="a second before seven on Monday"),
    ],
)
def test_where_night_and_weekend_begin_and_end(moment: str, is_weekend: bool, is_night: bool) -> None:
    seconds = np.array([int(datetime.fromisoformat(f"{moment}+00:00").timestamp())])
    assert (bool(weekend(seconds)[0]), bool(night(seconds)[0])) == (is_weekend, is_night)
