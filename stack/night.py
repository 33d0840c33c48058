"""The nightly forecast of a demonstration: triggered as its day begins, and reported at its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from models.night_telling import report_lines
from stack.retail import TENANT
from tasks.night_parts import connected_watch
from tasks.night_watch import NightWatch
from transport.cluster import Bootstrap


@dataclass(frozen=True, slots=True)
class DemoNight:
    """One night; `watch` is how it is looked at."""

    watch: NightWatch
    night: date

    def begin(self) -> None:
        """Send its trigger. Raises `Unavailable`."""
        self.watch.trigger(TENANT, self.night)

    def look(self) -> None:
        """End it if each SKU has its outcome. Raises `Unavailable`."""
        self.watch.look()

    def account(self) -> Iterator[str]:
        """Its report, once every event has its outcome. Raises `Unavailable`."""
        self.watch.look()
        standing = self.watch.standing(TENANT, self.night)
        if standing.report is None:
            yield f"the night of {self.night}: {standing.open:,} of {standing.planned:,} SKUs are open"
        else:
            yield from report_lines(self.night, standing.report)

    def ended_whole(self) -> bool:
        """Whether each SKU has its forecast."""
        report = self.watch.standing(TENANT, self.night).report
        return report is not None and report.planned == report.forecast > 0


@contextmanager
def night_of(
    night: date | None, bootstrap: Bootstrap, database_url: str, zone: ZoneInfo
) -> Iterator[DemoNight | None]:
    """The night of a programme, for the length of a `with`; None if it has none."""
    if night is None:
        yield None
        return
    with connected_watch(bootstrap, database_url, zone) as watch:
        yield DemoNight(watch, night)
