"""From a last order to a prediction: found in the store, routed by the shipped table, answered by a model."""

import math
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from events.decision import Position
from events.envelope import Envelope
from events.inactivity import DAY_MS
from events.lane import Batch, Fed, Waiting, encode_waiting
from events.prediction import ChurnDetail, Prediction, decode_prediction, encode_prediction
from features.inactivity import Rule
from features.offline.batch import StreamBatch
from features.offline.spells import Spells
from features.offline.store import OfflineStore, open_offline
from features.redis_store import RedisStore
from features.retail import DEFINITIONS
from features.tiered import TieredReader
from models.artifact import load as load_version
from models.churn import MODEL, ChurnWorkflow
from models.thresholds import ChurnThresholds
from monitoring.skew import report_of
from routing import load, route
from stack.retail import TENANT
from tasks.inactivity import Finder
from tasks.lifecycle import Lifecycle
from tests.outputs import confidence_of
from tests.trained import PROVENANCE, Silent, small_database, small_store
from training.churn import train
from training.churn_split import Split
from transport.kafka import Outgoing

UNTIL = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) * 1_000
SPLIT = Split.before(UNTIL, UNTIL - 56 * DAY_MS, 7, calibration_weeks=2, test_weeks=1)
RULE = Rule(after_days=5, lost_days=30)
RULES = load("config/routing_table.yaml", "config/workflows.yaml")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[OfflineStore]:
    """The small shop's past, and a stream that is counted up to its end."""
    shutil.copy(small_database(), tmp_path / "features.db")
    made = open_offline(f"sqlite:///{tmp_path / 'features.db'}")
    made.commit(StreamBatch("retail.events", 0, 0, 1, UNTIL, UNTIL, []))
    yield made
    made.close()


@pytest.fixture(scope="module")
def workflow(tmp_path_factory: pytest.TempPathFactory) -> ChurnWorkflow:
    trained = train(small_store(), TENANT, SPLIT, tmp_path_factory.mktemp("models"), PROVENANCE, Silent())
    return ChurnWorkflow.load(load_version(trained.path), ChurnThresholds(0.5, 0.8))


def found(store: OfflineStore) -> list[Envelope]:
    """What the finder sends."""
    sent: list[Outgoing] = []
    spells = Spells(store.database)
    spells.create()
    assert Finder(spells, sent.extend, RULE, lambda: UNTIL + DAY_MS).look() == len(sent)
    return [msgspec.json.decode(record.value or b"", type=Envelope) for record in sent]


def routed(events: Sequence[Envelope]) -> Batch:
    """The churn predictor's part of what the shipped table makes of these events, as one message."""
    records = []
    for offset, event in enumerate(events):
        source = Position("retail.events", 0, offset)
        (decision,) = route(event, RULES.table, source, UNTIL)
        assert (decision.workflow, decision.queue) == (MODEL, "ml.churn.input")
        waiting = Waiting(msgspec.Raw(msgspec.json.encode(event)), decision)
        lane = Position(decision.lane, 0, offset)
        records.append(Fed(lane, UNTIL, msgspec.Raw(encode_waiting(waiting)), b"k"))
    return Batch(UNTIL, tuple(records))


def predictions(
    store: OfflineStore, features_url: str, workflow: ChurnWorkflow, events: Sequence[Envelope]
) -> list[Prediction]:
    reader = TieredReader(DEFINITIONS, RedisStore(features_url), store)
    lifecycle = Lifecycle(workflow, reader, lambda: UNTIL + 1_000, "1.0.0")
    outcomes = lifecycle.decide(routed(events), "ml.churn.input", 0)
    return [decode_prediction(record.value or b"") for record in outcomes.records]


def test_who_has_become_inactive_is_predicted_as_of_that_moment(
    store: OfflineStore, features_url: str, workflow: ChurnWorkflow
) -> None:
    events = found(store)
    made = predictions(store, features_url, workflow, events)
    assert len(made) == len(events) > 0
    for event, prediction in zip(events, made, strict=True):
        assert prediction.entity_id == event.payload["customer_id"]
        assert prediction.output.detail == ChurnDetail(7, 0.5, 0.8)
        assert prediction.features["days_since_last_order"] == RULE.after_days
        assert (prediction.model_id, prediction.fallback) == ("churn-predictor-v1", None)
        assert prediction.explanation is None


def test_what_was_served_is_what_the_store_holds(
    store: OfflineStore, features_url: str, workflow: ChurnWorkflow
) -> None:
    made = predictions(store, features_url, workflow, found(store))
    report = report_of(store, DEFINITIONS, workflow.needs, map(encode_prediction, made))
    assert report.good, list(report.lines())
    assert report.predictions == len(made)


def test_who_closed_a_ticket_is_predicted_with_the_reasons(
    store: OfflineStore, features_url: str, workflow: ChurnWorkflow
) -> None:
    customer = found(store)[0].payload["customer_id"]
    event = Envelope(
        event_id="e-1",
        event_type="support.ticket.resolved",
        source="support",
        version="1.0.0",
        occurred_at=UNTIL,
        tenant_id=TENANT,
        payload={"ticket_id": "s-1", "customer_id": customer},
    )
    (prediction,) = predictions(store, features_url, workflow, [event])
    why, confidence = prediction.explanation, confidence_of(prediction.output)
    assert why is not None
    told = why.base + sum(why.contributions.values())
    assert told == pytest.approx(math.log(confidence / (1 - confidence)), abs=1e-4)
    assert set(why.contributions) == set(prediction.features)


def test_a_customer_whom_nobody_knows_gets_what_holds_in_general_and_it_is_said(
    store: OfflineStore, features_url: str, workflow: ChurnWorkflow
) -> None:
    (event, *_) = found(store)
    stranger = msgspec.structs.replace(event, payload={"customer_id": "nobody"})
    (prediction,) = predictions(store, features_url, workflow, [stranger])
    assert prediction.fallback is not None
    assert "days_since_last_order" in prediction.fallback
    assert prediction.features == {}
