"""Time-based split for churn: the moments to fit, to calibrate and to measure on."""

from dataclasses import dataclass

from core.timestamps import utc_day
from events.decision import Millis
from events.errors import ConfigError, Problem

DAY_MS = 86_400_000
STEP_DAYS = 7
"""Between two moments: each weekday of a shop is like itself."""
MOST_MOMENTS = 52


@dataclass(frozen=True, slots=True)
class Split:
    """Moments (epoch ms) to fit on, to calibrate on, and to measure on, each part later than the one before.

    Everything that is fitted is known when the first moment to measure on comes: its labels are older by a
    horizon.
    """

    horizon_days: int
    train: tuple[Millis, ...]
    calibration: tuple[Millis, ...]
    test: tuple[Millis, ...]

    @classmethod
    def before(
        cls, until: Millis, since: Millis, horizon_days: int, calibration_weeks: int = 4, test_weeks: int = 4
    ) -> "Split":
        """The latest that looks at nothing from `until` on; a first horizon after `since` makes the past.

        Raises `ConfigError` if there is too little between them.
        """
        horizon, step = horizon_days * DAY_MS, STEP_DAYS * DAY_MS
        test = _back(until - horizon, step, test_weeks)
        calibration = _back(test[0] - horizon, step, calibration_weeks)
        reach = (calibration[0] - step) - (since + horizon)
        if reach < 0:
            days = (until - since + DAY_MS - 1) // DAY_MS
            needed = days + (-reach + DAY_MS - 1) // DAY_MS
            parts = f"{calibration_weeks} weeks to calibrate on and {test_weeks} to measure on"
            raise refused(
                f"{days} days of orders are known; a horizon of {horizon_days} days, {parts} need {needed}: "
                "choose less of each"
            )
        train = _back(calibration[0] - step, step, min(MOST_MOMENTS, reach // step + 1))
        return cls(horizon_days, train, calibration, test)

    @property
    def parts(self) -> dict[str, tuple[Millis, ...]]:
        """Each part's moments, by its name."""
        return {"train": self.train, "calibration": self.calibration, "test": self.test}


def _back(last: Millis, step: Millis, count: int) -> tuple[Millis, ...]:
    return tuple(last - step * back for back in reversed(range(count)))


def day(moment: Millis) -> str:
    """The day (UTC) of a moment, ISO 8601."""
    return utc_day(moment).isoformat()


def refused(message: str) -> ConfigError:
    """What the offline store holds is not enough."""
    return ConfigError([Problem("offline feature store", 0, "", message)])
