"""Epoch milliseconds as text."""

from datetime import date

import pytest

from core.timestamps import iso_milliseconds, iso_seconds, readable, utc_day

AT = 1_795_266_000_123


def test_a_time_has_one_text_for_each_use() -> None:
    assert readable(AT) == "2026-11-21 13:00:00.123+00:00"
    assert readable(AT, "seconds") == "2026-11-21 13:00:00+00:00"
    assert iso_milliseconds(AT) == "2026-11-21T13:00:00.123+00:00"
    assert iso_seconds(AT) == "2026-11-21T13:00:00Z"
    assert utc_day(AT) == date(2026, 11, 21)


@pytest.mark.parametrize("at", [1 << 62, -(1 << 62)])
def test_a_time_that_no_calendar_has_is_shown_as_its_number(at: int) -> None:
    assert readable(at) == f"{at} ms"
