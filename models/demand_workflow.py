"""A SKU's demand over the horizon that an event asks for. Forecast once a night, and answered from there."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Protocol

from events.decision import Millis
from events.envelope import Envelope
from events.errors import DeadLetter, SignalboxError
from events.nightly import REQUESTED
from events.prediction import DayDemand, DemandQuantiles, ForecastDetail, Output
from features.contract import Contract
from features.keys import EntityKey
from features.offline.forecasts import Day, StoredForecast
from features.retail import DEFINITIONS
from models.forecasting import COVERAGE, HORIZON_DAYS, LONGEST_DAYS, DailySeries, Forecast, Forecaster
from models.nights import Timetable, night_of
from models.workflow import Answer, Case, ModelVersion
from transport.clock import Clock

MODEL = "demand-forecaster"
NEEDS = Contract.of(DEFINITIONS, ())
"""A forecast is made of whole series, as they are in the offline store, and not of features."""


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

    What was forecast of a SKU in a night is the answer to all who ask, until the next night: a message that
    comes twice, or a batch that is resumed, makes no second forecast. `counted_until` tells up to when every
    sale is known (epoch ms; None if unknown), and raises `Unavailable`.
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
        """The SKU. Raises `DeadLetter` if the payload names none, or a night or horizon that is none."""
        self.night_of(event)
        horizon_of(event)
        return {"sku": EntityKey(event.tenant_id, "sku", _sku(event))}

    def entity_id(self, event: Envelope) -> str:
        """The SKU. Raises `DeadLetter` if the payload names none."""
        return _sku(event)

    def infer(self, cases: Sequence[Case]) -> Sequence[Answer | SignalboxError]:
        """One answer for each case, in their order; all SKUs of a night in one call. Raises `Unavailable`."""
        wanted = [(case.event.tenant_id, self._known_night(case.event), _sku(case.event)) for case in cases]
        found: dict[tuple[str, date, str], StoredForecast] = {}
        for tenant_id, night in dict.fromkeys((tenant_id, night) for tenant_id, night, _ in wanted):
            skus = list(dict.fromkeys(sku for *whose, sku in wanted if whose == [tenant_id, night]))
            for sku, stored in self._of_night(tenant_id, night, skus).items():
                found[tenant_id, night, sku] = stored
        return [_answer(found[key], horizon_of(case.event)) for key, case in zip(wanted, cases, strict=True)]

    def fall_back(self, case: Case, reason: str) -> Answer:  # noqa: ARG002  # the contract's
        """Never asked for: no feature can be missing where none is needed."""
        raise DeadLetter("missing_feature", reason)

    def night_of(self, event: Envelope) -> date:
        """The night that an event names, else that of the day on which it happened.

        Raises `DeadLetter` if what it names is no night that can be forecast.
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
        figures = zip(
            *(of.tolist() for of in (forecast.mean, forecast.low, forecast.high)),
            *(map(tuple, of.tolist()) for of in (forecast.quantiles, forecast.totals)),
            strict=True,
        )
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


def horizon_of(event: Envelope) -> int:
    """The days that an event asks for. Raises `DeadLetter` if no forecast reaches so far."""
    asked = event.payload.get("horizon_days")
    if asked is None:
        return HORIZON_DAYS
    if isinstance(asked, int) and 1 <= asked <= LONGEST_DAYS:
        return asked
    message = f"payload.horizon_days must be from 1 to {LONGEST_DAYS}, is {asked!r}: ask for fewer days"
    raise DeadLetter("invalid_payload", message)


def _answer(stored: StoredForecast, horizon: int) -> Answer | SignalboxError:
    days = stored.days[:horizon]
    if len(days) < horizon:
        message = (
            f"payload.horizon_days is {horizon}, the forecast of {stored.night} has {len(days)} days: it was "
            "made by an earlier release. Ask for fewer days, or for the next night"
        )
        return DeadLetter("invalid_payload", message)
    expected, total = sum(day.mean for day in days), days[-1].totals
    detail = ForecastDetail(
        *(stored.night, stored.method, stored.model_id, stored.created_at, COVERAGE),
        tuple(_day(day) for day in days),
        None if total is None else expected,
        None if total is None else DemandQuantiles(*total),
    )
    features = {f"expected_{horizon}d": expected}
    return Answer(Output("demand", _confidence(total), "forecast", detail), features)


def _day(day: Day) -> DayDemand:
    quantiles = None if day.quantiles is None else DemandQuantiles(*day.quantiles)
    return DayDemand(day.day, day.mean, day.low, day.high, quantiles)


def _confidence(total: tuple[float, ...] | None) -> float | None:
    """How near the median of the total is to its 0.9 quantile; 1 if nothing is expected to be sold."""
    if total is None:
        return None
    median, _, high, _ = total
    return median / high if high > 0 else 1.0
