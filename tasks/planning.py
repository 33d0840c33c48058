"""A night's trigger, cut into an event for each SKU, which the dispatcher routes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Protocol

from events.envelope import Envelope
from events.errors import SignalboxError
from events.nightly import TRIGGER, requested
from events.prediction import NightDetail, Output
from events.topics import EVENTS
from features.keys import EntityKey
from models.demand_workflow import horizon_of
from models.nights import Timetable, night_of
from models.workflow import Answer, Case, ModelVersion, Workflow
from tasks.records import event_record
from transport.clock import Clock
from transport.kafka import Outgoing


class Catalogue(Protocol):
    """What the shop sells. Raises `Unavailable`."""

    def catalogue(self, tenant_id: str, night: date) -> Sequence[str]:
        """The SKUs that are forecast in a night."""


class Plans(Protocol):
    """Which SKUs a night is of. Raises `Unavailable`."""

    def plan(
        self,
        tenant_id: str,
        night: str,
        skus: Sequence[str],
        *,
        whole: bool,
        began_at: int,
        sla_ms: int,
        now: int,
    ) -> None:
        """The night is of these SKUs too; `whole`: they are its catalogue."""

    def planned(self, tenant_id: str, night: str) -> int:
        """How many SKUs it is of."""

    def unanswered(self, tenant_id: str, night: str) -> Sequence[str]:
        """Those without a forecast of this night."""


class Planner:
    """Cuts a night into events. May be killed anywhere, and done again: only what is unanswered is asked for.

    `publish` returns once Kafka holds every record, and raises `Unavailable`.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        plans: Plans,
        publish: Callable[[Sequence[Outgoing]], None],
        timetable: Timetable,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._plans = plans
        self._publish = publish
        self._timetable = timetable
        self._clock = clock

    def night_of(self, event: Envelope) -> date:
        """The night that a trigger names, else that of the day on which it came. Raises `DeadLetter`."""
        named = event.payload.get("forecast_date")
        return night_of(named, event.occurred_at, self._timetable, self._clock())

    def plan(self, case: Case) -> Answer:
        """Write down what the night is of, and ask for each SKU. Raises `Unavailable`."""
        tenant_id, night, decision = case.event.tenant_id, self.night_of(case.event), case.decision
        name = night.isoformat()
        named: Sequence[str] | None = case.event.payload.get("skus")
        self._plans.plan(
            tenant_id,
            name,
            self._catalogue.catalogue(tenant_id, night) if named is None else named,
            whole=named is None,
            began_at=decision.deadline - decision.sla_ms,
            sla_ms=decision.sla_ms,
            now=self._clock(),
        )
        skus = self._plans.unanswered(tenant_id, name)
        now = self._clock()
        days = case.event.payload.get("horizon_days")
        self._publish(
            [event_record(EVENTS, requested(tenant_id, night, sku, now, days), sku) for sku in skus]
        )
        detail = NightDetail(name, self._plans.planned(tenant_id, name), len(skus))
        return Answer(Output("night", None, "plan", detail), {})


class NightlyWorkflow:
    """The demand workflow, and the planner for the triggers among its events. `models.workflow.Workflow`."""

    def __init__(self, demand: Workflow, planner: Planner) -> None:
        self._demand = demand
        self._planner = planner
        self.name = demand.name
        self.needs = demand.needs

    @property
    def version(self) -> ModelVersion:
        """What forecasts."""
        return self._demand.version

    def entities(self, event: Envelope) -> Mapping[str, EntityKey]:
        """The SKU; none if it is a trigger. Raises `DeadLetter`."""
        if event.event_type != TRIGGER:
            return self._demand.entities(event)
        self._planner.night_of(event)
        horizon_of(event)
        return {}

    def entity_id(self, event: Envelope) -> str:
        """The SKU; a trigger's night."""
        if event.event_type != TRIGGER:
            return self._demand.entity_id(event)
        return self._planner.night_of(event).isoformat()

    def infer(self, cases: Sequence[Case]) -> Sequence[Answer | SignalboxError]:
        """One answer or error for each case, in their order. A trigger's trouble is no SKU's."""
        skus = [case for case in cases if case.event.event_type != TRIGGER]
        answers = iter(self._demand.infer(skus) if skus else ())
        return [self._plan(case) if case.event.event_type == TRIGGER else next(answers) for case in cases]

    def fall_back(self, case: Case, reason: str) -> Answer:
        """As the demand workflow does."""
        return self._demand.fall_back(case, reason)

    def _plan(self, case: Case) -> Answer | SignalboxError:
        try:
            return self._planner.plan(case)
        except SignalboxError as error:
            return error
