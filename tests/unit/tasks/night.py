"""A shop whose sales stand in SQL, and all that makes its nights; Kafka and the clock do what a test says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from events.decision import Decision, Millis, Position
from events.envelope import Envelope
from events.nightly import requested, trigger
from events.priority import Priority
from features.backfilling import count_history
from features.offline.forecasts import Forecasts
from features.offline.nights import Nights
from features.offline.sales import Sales
from features.offline.store import open_offline
from features.pipeline.reading import Record
from features.reading import FeatureVector
from features.retail import DEFINITIONS
from models.demand_workflow import DemandWorkflow
from models.forecasting import DailySeries, Forecast
from models.nights import Timetable
from models.seasonal_naive import SeasonalNaive
from models.workflow import Case, ModelVersion
from tasks.night_watch import Failures, NightWatch
from tasks.planning import NightlyWorkflow, Planner
from tests.unit.tasks.fakes import Kafka

TENANT = "acme"
NIGHT = date(2026, 3, 2)
UTC_AT_TWO = Timetable(ZoneInfo("UTC"), time(2))
NOTHING = FeatureVector((), (), (), None, "online", "")


def at(day: date, hour: int = 12) -> Millis:
    """Epoch ms."""
    return int(datetime.combine(day, time(hour), UTC).timestamp() * 1_000)


def sale(number: int, day: date, **pieces: int) -> Record:
    """An order of so many pieces by SKU, as its producer wrote it."""
    event = Envelope(
        event_id=f"order-{number}",
        event_type="order.placed",
        source="tests",
        version="1.0.0",
        occurred_at=at(day),
        tenant_id=TENANT,
        payload={
            "order_id": f"o-{number}",
            "customer_id": "c-1",
            "terminal_id": "t-1",
            "amount": 1.0,
            "currency": "GBP",
            "items": [
                {"sku": sku, "quantity": quantity, "unit_price": 1.0} for sku, quantity in pieces.items()
            ],
        },
    )
    return Record(number, at(day), msgspec.json.encode(event), None)


@dataclass
class Counted:
    """The seasonal naive, which remembers what it was asked."""

    asked: list[str] = field(default_factory=list)
    version: ModelVersion = SeasonalNaive.version

    def forecast(self, series: Mapping[str, DailySeries], night: date) -> Mapping[str, Forecast]:
        """As it does."""
        self.asked += series
        return SeasonalNaive().forecast(series, night)


class Shop:
    """Everything but Celery. `failed` is what stands in the dead letters, by tenant and night."""

    def __init__(self, folder: Path) -> None:
        self.store = open_offline(f"sqlite:///{folder}/shop.db")
        self.store.create(DEFINITIONS)
        database = self.store.database
        self.now = at(NIGHT, 2)
        self.counted_until: Millis | None = self.now
        self.kafka = Kafka()
        self.forecaster = Counted()
        self.sales, self.nights = Sales(database, ZoneInfo("UTC")), Nights(database)
        self.forecasts = Forecasts(database, lambda: self.now)
        self.forecasts.create()
        self.failed: Failures = {}
        self.looked_since: list[Millis] = []
        self.watch = self.another_watch()
        self.workflow = NightlyWorkflow(
            DemandWorkflow(
                *(self.forecaster, self.sales, self.forecasts, UTC_AT_TWO),
                *(lambda: self.counted_until, lambda: self.now),
            ),
            Planner(self.sales, self.nights, self.kafka.publish, UTC_AT_TWO, lambda: self.now),
        )

    def another_watch(self) -> NightWatch:
        """As a second worker has."""
        return NightWatch(
            self.nights, self.forecasts, self.sales, self._failures, self.kafka.publish, lambda: self.now
        )

    def _failures(self, since: Millis) -> Failures:
        self.looked_since.append(since)
        return self.failed

    def sell(self, days: Mapping[int, Mapping[str, int]]) -> None:
        """Pieces by SKU, so many days before the night."""
        records = [sale(before, NIGHT - timedelta(days=before), **pieces) for before, pieces in days.items()]
        count_history(records, DEFINITIONS, self.store)

    def published(self) -> list[Envelope]:
        """The events that went to Kafka, taken from there."""
        events = [msgspec.json.decode(record.value or b"", type=Envelope) for record in self.kafka.records]
        self.kafka.records.clear()
        return events

    def case(self, event: Envelope) -> Case:
        """An event as the lifecycle hands it to a workflow."""
        decision = Decision(
            prediction_id=f"pred_{event.event_id}",
            workflow="demand-forecaster",
            queue="ml.forecast.batch",
            priority=Priority.BATCH,
            rule="r",
            table_hash="t",
            sla_ms=3_600_000,
            deadline=self.now + 3_600_000,
            source=Position("retail.events", 0, 1),
        )
        return Case(event, decision, self.workflow.entities(event), NOTHING)

    def infer(self, events: Sequence[Envelope]) -> Sequence[object]:
        """What the workflow says of them."""
        return self.workflow.infer([self.case(event) for event in events])

    def trigger(self, night: date = NIGHT) -> Sequence[object]:
        """The planner's answer to the night's trigger."""
        return self.infer([trigger(TENANT, night, self.now)])

    def request(self, sku: str, night: date = NIGHT) -> Envelope:
        """One SKU's event of the night."""
        return requested(TENANT, night, sku, self.now)
