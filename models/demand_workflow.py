"""How much of a SKU will be sold in the next seven days? Forecast once a night, and told from there."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Protocol

from events.decision import Millis
from events.envelope import Envelope
from events.errors import DeadLetter, SignalboxError
from events.nightly import REQUESTED
from events.prediction import DayDemand, ForecastDetail, Output
from features.contract import Contract
from features.keys import EntityKey
from features.offline.forecasts import Day, StoredForecast
from features.retail import DEFINITIONS
from models.forecasting import COVERAGE, DailySeries, Forecast, Forecaster
from models.nights import Timetable, night_of
from models.workflow import Answer, Case, ModelVersion
from transport.clock import Clock

MODEL = "demand-forecaster"
NEEDS = Contract.of(DEFINITIONS, ())
"""A forecast is made of whole series, as they stand in the offline store, and not of features."""


class Sales(Protocol):
    """What was sold. Raises `Unavailable`."""

    def series(self, tenant_id: str, skus: Sequence[str], night: date) -> Mapping[str, DailySeries]:
        """What was sold of each before a night's midnight."""


class Library(Protocol):
    """Forecasts that were made. Raises `Unavailable`."""

    def of_night(self, tenant_id: str, night: str, skus: Sequence[str]) -> Mapping[str, StoredForecast]:
        """Those of these SKUs that there are."""

    def add(self, tenant_id: str, night: str, forecasts: Sequence[StoredForecast]) -> int:
        """Store those of SKUs that have none of this night yet."""


class DemandWorkflow:
    """`models.workflow.Workflow` for all that asks for one SKU's forecast.

    What was forecast of a SKU in a night is said again to whoever asks, until the next night: a message that
    comes twice, or a batch that is resumed, makes no second forecast. `counted_until` tells up to when every
    sale is known (epoch ms; None where nobody can say), and raises `Unavailable`.
    """

    name = MODEL
    needs = NEEDS

    def __init__(
        self,
        forecaster: Forecaster,
        sales: Sales,
        library: Library,
        timetable: Timetable,
        counted_until: Callable[[], Millis | None],
        clock: Clock,
    ) -> None:
        self._forecaster = forecaster
        self._sales = sales
        self._library = library
        self._timetable = timetable
        self._counted_until = counted_until
        self._clock = clock
        self._counted: Millis | None = None

    @property
    def version(self) -> ModelVersion:
        """The forecaster's."""
        return self._forecaster.version

    def entities(self, event: Envelope) -> Mapping[str, EntityKey]:
        """The SKU. Raises `DeadLetter` where the payload names none, or no night."""
        self.night_of(event)
        return {"sku": EntityKey(event.tenant_id, "sku", _sku(event))}

    def entity_id(self, event: Envelope) -> str:
        """The SKU. Raises `DeadLetter` where the payload names none."""
        return _sku(event)

    def infer(self, cases: Sequence[Case]) -> Sequence[Answer | SignalboxError]:
        """One answer for each case, in their order; all SKUs of a night in one call. Raises `Unavailable`."""
        wanted = [(case.event.tenant_id, self._known_night(case.event), _sku(case.event)) for case in cases]
        answers: dict[tuple[str, date, str], Answer] = {}
        for tenant_id, night in dict.fromkeys((tenant_id, night) for tenant_id, night, _ in wanted):
            skus = list(dict.fromkeys(sku for *whose, sku in wanted if whose == [tenant_id, night]))
            for sku, stored in self._of_night(tenant_id, night, skus).items():
                answers[tenant_id, night, sku] = _answer(stored)
        return [answers[key] for key in wanted]

    def fall_back(self, case: Case, reason: str) -> Answer:  # noqa: ARG002  # the contract's
        """Never asked for: no feature can be missing where none is needed."""
        raise DeadLetter("missing_feature", reason)

    def night_of(self, event: Envelope) -> date:
        """The night that an event names, else that of the day on which it happened.

        Raises `DeadLetter` where what it names is no night that can be forecast.
        """
        named = event.payload.get("forecast_date") if event.event_type == REQUESTED else None
        return night_of(named, event.occurred_at, self._timetable, self._clock())

    def _known_night(self, event: Envelope) -> date:
        night = self.night_of(event)
        # the first forecast of a night stands all day: it is not to be made of sales that are half counted,
        # for who asks at a second past midnight. Who sent the night's own requests has looked
        if event.event_type == REQUESTED or self._is_counted(self._timetable.midnight(night)):
            return night
        return night - timedelta(days=1)

    def _is_counted(self, moment: Millis) -> bool:
        if self._counted is None or self._counted < moment:
            self._counted = self._counted_until()
        return self._counted is not None and self._counted >= moment

    def _of_night(self, tenant_id: str, night: date, skus: Sequence[str]) -> Mapping[str, StoredForecast]:
        name = night.isoformat()
        found = self._library.of_night(tenant_id, name, skus)
        if missing := [sku for sku in skus if sku not in found]:
            series = self._sales.series(tenant_id, missing, night)
            made = self._forecaster.forecast(series, night)
            self._library.add(tenant_id, name, [self._stored(sku, night, made[sku]) for sku in missing])
            # what stands there: another worker may have been first
            found = {**found, **self._library.of_night(tenant_id, name, missing)}
        return found

    def _stored(self, sku: str, night: date, forecast: Forecast) -> StoredForecast:
        figures = zip(forecast.mean.tolist(), forecast.low.tolist(), forecast.high.tolist(), strict=True)
        days = (Day((night + timedelta(days=ahead)).isoformat(), *of) for ahead, of in enumerate(figures))
        version = self.version
        return StoredForecast(
            sku, night.isoformat(), forecast.method, version.model_id, version.digest, tuple(days)
        )


def _sku(event: Envelope) -> str:
    value: Any = event.payload.get("sku")
    if isinstance(value, str) and value:
        return value
    raise DeadLetter("missing_feature", "payload.sku must be a text that is not empty")


def _answer(stored: StoredForecast) -> Answer:
    days = tuple(DayDemand(*day) for day in stored.days)
    detail = ForecastDetail(stored.night, stored.method, stored.model_id, stored.created_at, COVERAGE, days)
    expected = sum(day.mean for day in days)
    return Answer(Output("demand", COVERAGE, "forecast", detail), {"expected_7d": expected})
