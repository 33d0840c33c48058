"""From sales in the offline store to the seven days of a restock: by the trained forecaster, once a night."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from events.decision import Decision, Position
from events.envelope import Envelope
from events.prediction import ForecastDetail
from events.priority import Priority
from features.offline.forecasts import Forecasts
from features.offline.sales import Sales
from features.offline.store import OfflineStore, open_offline
from features.reading import FeatureVector
from features.retail import DEFINITIONS
from models import artifact
from models.demand_workflow import DemandWorkflow
from models.forecast import DemandForecaster
from models.forecasting import COVERAGE, Forecaster
from models.nights import Timetable
from models.seasonal_naive import SeasonalNaive
from models.workflow import Answer, Case
from tests.integration.features.made import TENANT, batch, event
from tests.unit.models.demand import MONDAY, trained, weekly

LONDON = ZoneInfo("Europe/London")
SKU = "sku-1"
DECISION = Decision(
    prediction_id="pred_1",
    workflow="demand-forecaster",
    queue="ml.forecast.input",
    priority=Priority.STANDARD,
    rule="inventory.restock_requested",
    table_hash="",
    sla_ms=1_800_000,
    deadline=0,
    source=Position("retail.events", 0, 0),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[OfflineStore]:
    """Seven months of one SKU's sales, each at noon."""
    store = open_offline(f"sqlite:///{tmp_path / 'shop.db'}")
    store.create(DEFINITIONS)
    sold = [
        event(
            "order.placed",
            {"items": [{"sku": SKU, "quantity": int(pieces), "unit_price": 2.0}]},
            offset=day,
            at=_noon(MONDAY + timedelta(days=day)),
        )
        for day, pieces in enumerate(weekly(scale=10.0).demand.tolist())
        if pieces
    ]
    store.commit(batch(*sold))
    yield store
    store.close()


def workflow(store: OfflineStore, forecaster: Forecaster) -> DemandWorkflow:
    library = Forecasts(store.database)
    library.create()
    sales, timetable = Sales(store.database, LONDON), Timetable(LONDON, time(2))
    return DemandWorkflow(forecaster, sales, library, timetable, _later, _later)


def restock(at: int) -> Case:
    asked = Envelope(
        event_id="restock-1",
        event_type="inventory.restock_requested",
        source="warehouse",
        version="1.0.0",
        occurred_at=at,
        tenant_id=TENANT,
        payload={"sku": SKU, "quantity": 50},
    )
    return Case(asked, DECISION, {}, FeatureVector((), (), (), None, "offline", ""))


def told(workflow: DemandWorkflow, at: int) -> ForecastDetail:
    (answer,) = workflow.infer([restock(at)])
    assert isinstance(answer, Answer)
    assert isinstance(answer.output.detail, ForecastDetail)
    return answer.output.detail


def test_a_restock_is_told_its_seven_days_and_the_same_ones_until_the_next_night(
    store: OfflineStore,
) -> None:
    today = weekly().end
    forecaster = DemandForecaster.load(artifact.load(trained().path))
    detail = told(workflow(store, forecaster), _noon(today))
    assert (detail.method, detail.coverage) == ("ensemble", COVERAGE)
    assert detail.model_id == forecaster.version.model_id
    assert [day.day for day in detail.days] == [str(today + timedelta(days=ahead)) for ahead in range(7)]
    assert all(day.low <= day.mean <= day.high for day in detail.days)
    assert sum(day.mean for day in detail.days) == pytest.approx(290, rel=0.25)
    # another model serves by then: what was said of this night stands
    assert told(workflow(store, SeasonalNaive()), _noon(today) + 3_600_000) == detail
    tomorrow = told(workflow(store, SeasonalNaive()), _noon(today + timedelta(days=1)))
    assert tomorrow.model_id == SeasonalNaive.version.model_id


def _later() -> int:
    return _noon(weekly().end + timedelta(days=7))


def _noon(day: date) -> int:
    return int(datetime.combine(day, time(12), UTC).timestamp() * 1_000)
