"""The schedule of nights by the shop's local clock, through summer time and downtime. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from events.decision import Millis
from events.errors import DeadLetter

MIDNIGHT = time(0)
EARLIEST = date(1970, 1, 1)
"""No event happened before the epoch."""
CLOCKS_DIFFER_MS = 300_000
"""By less than that: who triggers a night at its midnight is refused by nobody."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """When each night's forecast begins: at `at` by the clocks of `zone`.

    A night is named by the day that begins in it: what was sold before that day's midnight is known, and the
    day is the first that is forecast.
    """

    zone: ZoneInfo
    at: time

    def begins(self, night: date) -> Millis:
        """Epoch ms. A time that the clocks skip comes as much later; of one shown twice, the first counts."""
        return _instant(night, self.at, self.zone)

    def due(self, now: Millis) -> date:
        """The newest night that has begun. Those before it are not made up for: they have no use any more."""
        today = self.day_of(now)
        return today if self.begins(today) <= now else today - timedelta(days=1)

    def midnight(self, night: date) -> Millis:
        """Epoch ms of the moment at which that day begins."""
        return _instant(night, MIDNIGHT, self.zone)

    def day_of(self, moment: Millis) -> date:
        """The day that the shop's calendar shows then."""
        return datetime.fromtimestamp(moment / 1_000, self.zone).date()


def night_of(named: object, occurred_at: Millis, timetable: Timetable, now: Millis) -> date:
    """The night that a payload names as an ISO day, else that of the day on which its event happened.

    Raises `DeadLetter` if it names no day (2026-02-30 fits the pattern), one that has not begun, as its
    forecast would be made of half of its past and stay for good, or one before there were sales.
    """
    newest = timetable.day_of(now + CLOCKS_DIFFER_MS)
    if named is None:
        return min(timetable.day_of(occurred_at), newest)
    try:
        night = date.fromisoformat(str(named))
    except ValueError as error:
        raise DeadLetter("invalid_payload", f"payload.forecast_date: {error}") from error
    if not EARLIEST <= night <= newest:
        message = f"payload.forecast_date: {night} is none of the nights from {EARLIEST} to {newest}"
        raise DeadLetter("invalid_payload", message)
    return night


def _instant(day: date, at: time, zone: ZoneInfo) -> Millis:
    # PEP 495: `fold=0` reads a skipped time by the clock before the change, and a repeated one as the first
    local = datetime.combine(day, at, tzinfo=zone).replace(fold=0)
    return int(local.astimezone(UTC).timestamp() * 1_000)
