"""From sales in the offline store to the seven days of a restock: by the trained forecaster, once a night."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from events.decision import Decision, Position
from events.envelope import Envelope
from events.errors import DeadLetter
from events.prediction import ForecastDetail
from events.priority import Priority
from features.offline.forecasts import Day, Forecasts, StoredForecast
from features.offline.sales import Sales
from features.offline.store import OfflineStore, open_offline
from features.reading import FeatureVector
from features.retail import DEFINITIONS
from models import artifact
from models.demand_workflow import DemandWorkflow
from models.forecast import DemandForecaster
from models.forecasting import COVERAGE, HORIZON_DAYS, LONGEST_DAYS, DailySeries, Forecaster
from models.nights import Timetable
from models.seasonal_naive import SeasonalNaive
from models.workflow import Answer, Case
from tests.integration.features.made import TENANT, batch, event
from tests.unit.models.demand import MONDAY, now_and_then, series, trained, weekly

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


def restock(at: int, **asked_for: int) -> Case:
    asked = Envelope(
        event_id="restock-1",
        event_type="inventory.restock_requested",
        source="warehouse",
        version="1.0.0",
        occurred_at=at,
        tenant_id=TENANT,
        payload={"sku": SKU, "quantity": 50, **asked_for},
    )
    return Case(asked, DECISION, {}, FeatureVector((), (), (), None, "offline", ""))


def told(workflow: DemandWorkflow, at: int, **asked_for: int) -> ForecastDetail:
    (answer,) = workflow.infer([restock(at, **asked_for)])
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
    assert all(day.quantiles and day.low <= day.quantiles.p50 <= day.high for day in detail.days)
    assert detail.expected == pytest.approx(sum(day.mean for day in detail.days))
    assert detail.total is not None
    assert detail.total.p50 <= detail.total.p80 <= detail.total.p90 <= detail.total.p95
    assert detail.total.p50 == pytest.approx(290, rel=0.25)
    assert sum(day.mean for day in detail.days) == pytest.approx(290, rel=0.25)
    # another model serves by then: what was said of this night stands
    assert told(workflow(store, SeasonalNaive()), _noon(today) + 3_600_000) == detail
    tomorrow = told(workflow(store, SeasonalNaive()), _noon(today + timedelta(days=1)))
    assert tomorrow.model_id == SeasonalNaive.version.model_id


@pytest.mark.parametrize("horizon", [1, 14, LONGEST_DAYS])
def test_a_restock_that_names_a_horizon_is_told_so_many_days_and_their_total(
    store: OfflineStore, horizon: int
) -> None:
    made = workflow(store, SeasonalNaive())
    week = told(made, _noon(weekly().end))
    detail = told(made, _noon(weekly().end), horizon_days=horizon)
    assert len(detail.days) == horizon
    assert detail.expected == pytest.approx(sum(day.mean for day in detail.days))
    # both are cut out of one forecast
    shared = min(horizon, HORIZON_DAYS)
    assert detail.days[:shared] == week.days[:shared]
    assert detail.made_at == week.made_at
    assert detail.total is not None
    assert week.total is not None
    assert (detail.total.p90 > week.total.p90) == (horizon > HORIZON_DAYS)


@pytest.mark.parametrize("horizon", [0, LONGEST_DAYS + 1, 1_000])
def test_a_horizon_that_no_forecast_reaches_is_refused_by_its_field(
    store: OfflineStore, horizon: int
) -> None:
    with pytest.raises(DeadLetter, match=rf"payload\.horizon_days must be from 1 to 28, is {horizon}"):
        workflow(store, SeasonalNaive()).entities(restock(_noon(weekly().end), horizon_days=horizon).event)


def test_what_an_earlier_release_stored_is_told_as_it_is_and_no_further(store: OfflineStore) -> None:
    made, night = workflow(store, SeasonalNaive()), weekly().end
    days = tuple(Day(str(night + timedelta(days=ahead)), 3.0, 1.0, 5.0) for ahead in range(7))
    old = StoredForecast(SKU, str(night), "ensemble", "demand-forecaster-v1", "d" * 64, days)
    Forecasts(store.database).add(TENANT, str(night), [old])
    detail = told(made, _noon(night))
    assert (len(detail.days), detail.expected, detail.total) == (7, None, None)
    (refused,) = made.infer([restock(_noon(night), horizon_days=14)])
    assert isinstance(refused, DeadLetter)
    assert "payload.horizon_days is 14" in str(refused)


@pytest.mark.parametrize(
    ("pieces", "confidence"),
    [
        pytest.param(weekly(scale=10.0), pytest.approx(0.9, abs=0.1), id="each week is alike"),
        pytest.param(now_and_then(), 0.0, id="most weeks bring nothing, some do"),
        pytest.param(series([]), 1.0, id="never sold"),
    ],
)
def test_a_forecast_is_confident_if_its_total_may_hardly_exceed_its_median(
    pieces: DailySeries, confidence: object, store: OfflineStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workflow(store, DemandForecaster.load(artifact.load(trained().path)))
    monkeypatch.setattr(Sales, "series", lambda *_: {SKU: pieces})
    (answer,) = made.infer([restock(_noon(weekly().end))])
    assert isinstance(answer, Answer)
    assert answer.output.confidence == confidence


def _later() -> int:
    return _noon(weekly().end + timedelta(days=7))


def _noon(day: date) -> int:
    return int(datetime.combine(day, time(12), UTC).timestamp() * 1_000)
