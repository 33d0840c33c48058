"""The nightly scheduler: each night begins once and ends with a report. Runs once a minute."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import msgspec

from events.decision import Millis
from events.nightly import completed, trigger
from events.topics import EVENTS
from features.offline.forecasts import Forecasts
from features.offline.nights import Night, Nights
from features.offline.sales import Sales
from models.night_report import Accuracy, Failure, Report, Standing, accuracy, has_ended, report
from models.nights import Timetable
from tasks.records import event_record
from transport.clock import Clock
from transport.kafka import Outgoing

logger = logging.getLogger(__name__)

Failures = Mapping[tuple[str, str], Mapping[str, Failure]]
"""Why SKUs were given up, by tenant and night, then by SKU."""


class Standings(NamedTuple):
    """How far a night is: its SKUs, how many are without a forecast, its report once it has ended.

    `changed_at` (epoch ms) is when it came to its state.
    """

    planned: int
    open: int
    changed_at: Millis
    report: Report | None


class NightWatch:
    """Every step may be repeated, and taken by several at once; what a kill interrupts is done next time.

    `publish` returns once Kafka holds every record; `failures` tells what was given up since a time (epoch
    ms). Methods raise `Unavailable`.
    """

    def __init__(
        self,
        nights: Nights,
        forecasts: Forecasts,
        sales: Sales,
        failures: Callable[[Millis], Failures],
        publish: Callable[[Sequence[Outgoing]], None],
        clock: Clock,
    ) -> None:
        self._nights = nights
        self._forecasts = forecasts
        self._sales = sales
        self._failures = failures
        self._publish = publish
        self._clock = clock

    def begin(self, tenant_id: str, timetable: Timetable, counted_until: Millis | None) -> date | None:
        """Trigger the night that is due, unless it was; which one that was.

        It waits until all sales before its midnight are known: they are `counted_until` then (epoch ms; None
        where nobody can say). What is not counted would be forecast as not sold, and stand.
        """
        now = self._clock()
        night = timetable.due(now)
        if counted_until is None or counted_until < timetable.midnight(night):
            if self._nights.find(tenant_id, night.isoformat()) is None:
                logger.warning("the night of %s waits for the feature pipeline: sales lack", night)
            return None
        if not self._nights.claim(tenant_id, night.isoformat(), now):
            return None
        self.trigger(tenant_id, night)
        self._nights.triggered(tenant_id, night.isoformat(), self._clock())
        return night

    def trigger(self, tenant_id: str, night: date) -> None:
        """Send a night's trigger, even if another process did."""
        self._publish([event_record(EVENTS, trigger(tenant_id, night, self._clock()), tenant_id)])

    def look(self) -> list[tuple[Night, Report]]:
        """End each night whose SKUs all have their outcome, and tell its report; those that ended now."""
        nights = self._nights.open()
        standings = [(night, self._standing(night)) for night in nights if night.state == "planned"]
        given_up: Failures = {}
        # what was given up before a night was planned anew is asked for again
        if still_open := [night.changed_at for night, standing in standings if standing.open]:
            given_up = self._failures(min(still_open))
        ended = []
        for night, standing in standings:
            known = _since(night.changed_at, given_up.get((night.tenant_id, night.night), {}))
            if (found := self._end(night, standing, known)) is not None:
                ended.append((night, found))
        for night in self._nights.open():
            if night.state == "ended":
                self._tell(night)
        return ended

    def standing(self, tenant_id: str, night: date) -> Standings:
        """How far a night is; of one that was not begun, nothing."""
        whose = (tenant_id, night.isoformat())
        found = self._nights.find(*whose)
        done = found is not None and found.state in ("ended", "told")
        return Standings(
            self._nights.planned(*whose),
            len(self._nights.unanswered(*whose)),
            found.changed_at if found else 0,
            msgspec.json.decode(found.report, type=Report) if found and done else None,
        )

    def _standing(self, night: Night) -> Standing:
        whose = (night.tenant_id, night.night)
        # first what is open: a forecast that is stored in between counts as made the next time
        unanswered = self._nights.unanswered(*whose)
        return Standing(self._nights.planned(*whose), unanswered, {}, self._forecasts.made(*whose))

    def _end(self, night: Night, seen: Standing, failures: Mapping[str, Failure]) -> Report | None:
        now = self._clock()
        standing = Standing(seen.planned, seen.open, failures, seen.made)
        if not has_ended(standing, night, now):
            return None
        found = report(night, standing, self._accuracy(night), now)
        self._nights.ended(night.tenant_id, night.night, msgspec.json.encode(found).decode(), now)
        return found

    def _accuracy(self, night: Night) -> Accuracy | None:
        """Of the night before, on the one day of it that is over."""
        day = date.fromisoformat(night.night) - timedelta(days=1)
        forecasts = self._forecasts.of_day(night.tenant_id, day.isoformat(), day.isoformat())
        if not forecasts:
            return None
        return accuracy(
            day.isoformat(), day.isoformat(), forecasts, self._sales.sold_on(night.tenant_id, day)
        )

    def _tell(self, night: Night) -> None:
        said = msgspec.json.decode(night.report, type=dict[str, object])
        event = completed(night.tenant_id, date.fromisoformat(night.night), said, night.changed_at)
        self._publish([event_record(EVENTS, event, night.tenant_id)])
        self._nights.told(night.tenant_id, night.night, self._clock())


def _since(moment: Millis, failures: Mapping[str, Failure]) -> dict[str, Failure]:
    return {sku: failure for sku, failure in failures.items() if failure.at >= moment}
