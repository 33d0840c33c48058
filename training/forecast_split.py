"""Time-based split for forecasts: the weeks to fit, to blend and to measure on."""

from dataclasses import dataclass
from datetime import date, timedelta

from models.forecasting import HORIZON_DAYS


@dataclass(frozen=True, slots=True)
class Weeks:
    """Whole weeks before `end`, of which nothing is looked at: first those to blend on, last the test's.

    The trees are fitted on what lies before all of these, and are served as they are: what was measured is
    what is registered.
    """

    end: date
    blend: int = 4
    test: int = 2

    @property
    def fit_end(self) -> date:
        """The day from which on nothing is fitted."""
        return self.end - timedelta(days=HORIZON_DAYS * (self.blend + self.test))

    @property
    def blend_nights(self) -> tuple[date, ...]:
        """The nights whose week ahead says how the parts are joined."""
        return tuple(self.fit_end + timedelta(days=HORIZON_DAYS * week) for week in range(self.blend))

    @property
    def test_nights(self) -> tuple[date, ...]:
        """The nights whose week ahead the forecaster is measured on."""
        first = self.end - timedelta(days=HORIZON_DAYS * self.test)
        return tuple(first + timedelta(days=HORIZON_DAYS * week) for week in range(self.test))
