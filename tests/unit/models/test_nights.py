"""The moment a night begins, and the night that is due, by the shop's local clock."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from models.nights import Timetable

LONDON = ZoneInfo("Europe/London")
HAVANA = ZoneInfo("America/Havana")


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


@pytest.mark.parametrize(
    ("zone", "at", "night", "expected"),
    [
        pytest.param(LONDON, time(2), date(2026, 1, 10), "2026-01-10T02:00", id="in winter"),
        pytest.param(LONDON, time(2), date(2026, 7, 10), "2026-07-10T01:00", id="in summer"),
        pytest.param(
            LONDON, time(1, 30), date(2026, 3, 29), "2026-03-29T01:30", id="the clocks skip it: an hour later"
        ),
        pytest.param(
            LONDON, time(1, 30), date(2026, 10, 25), "2026-10-25T00:30", id="they show it twice: the first"
        ),
        pytest.param(
            HAVANA, time(0), date(2026, 3, 8), "2026-03-08T05:00", id="a day that does not begin at midnight"
        ),
    ],
)
def test_when_a_night_begins(zone: ZoneInfo, at: time, night: date, expected: str) -> None:
    assert Timetable(zone, at).begins(night) == instant(expected)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        pytest.param(
            "2026-07-10T00:59:59", date(2026, 7, 9), id="a second before its hour: the night before"
        ),
        pytest.param("2026-07-10T01:00:00", date(2026, 7, 10), id="at its hour"),
        pytest.param("2026-07-10T22:59:59", date(2026, 7, 10), id="all of the day, for who was away"),
        pytest.param("2026-07-10T23:30:00", date(2026, 7, 10), id="after midnight there, before its hour"),
    ],
)
def test_which_night_is_due(now: str, due: date) -> None:
    assert Timetable(LONDON, time(2)).due(instant(now)) == due


@pytest.mark.parametrize("zone", ["Europe/London", "America/Havana", "Pacific/Apia", "Africa/Casablanca"])
def test_each_night_of_a_year_is_due_from_its_beginning_to_the_next_ones(zone: str) -> None:
    table = Timetable(ZoneInfo(zone), time(2, 30))
    nights = [date.fromordinal(date(2026, 1, 1).toordinal() + number) for number in range(365)]
    begins = [table.begins(night) for night in nights]
    assert begins == sorted(set(begins))
    for night, begin, end in zip(nights, begins, begins[1:], strict=False):
        assert table.due(begin) == night
        assert table.due(end - 1) == night


def test_a_moment_lies_on_the_day_that_the_shops_calendar_shows() -> None:
    assert Timetable(LONDON, time(2)).day_of(instant("2026-07-09T23:30")) == date(2026, 7, 10)
