"""Evaluation of any churn version on the customers that a training was measured on."""

from collections.abc import Mapping

from events.decision import Decision, Position
from events.envelope import Envelope
from events.priority import Priority
from features.offline.join import point_in_time
from features.offline.reader import OfflineReader
from features.reading import FeatureVector
from features.retail import DEFINITIONS
from models.artifact import Artifact
from models.calibration import calibration_of
from models.churn import LABEL_AT, MODEL, ChurnWorkflow
from models.churn_features import CUSTOMER
from models.thresholds import ChurnThresholds
from models.workflow import Case
from training.bench import IncomparableError, confidences, latency_ms
from training.churn_dataset import Examples
from training.churn_evaluation import evaluate

BATCH = 512
# what a worker is handed beside the features; the model looks at none of it
_EVENT = Envelope(
    event_id="bench",
    event_type="customer.inactive",
    source="bench",
    version="1.0.0",
    occurred_at=0,
    tenant_id="bench",
    payload={},
)
_DECISION = Decision(
    prediction_id="pred_bench",
    workflow=MODEL,
    queue="ml.churn.input",
    priority=Priority.LOW,
    rule="bench",
    table_hash="",
    sla_ms=1,
    deadline=0,
    source=Position("bench", 0, 0),
)


class ChurnBench:
    """`training.bench.Bench` over customers at moments; each version sees the features that it names.

    `tested` says who stayed away within `horizon_days`.
    """

    def __init__(self, store: OfflineReader, tenant_id: str, tested: Examples, horizon_days: int) -> None:
        self._store = store
        self._tenant_id = tenant_id
        self._tested = tested
        self._horizon_days = horizon_days

    def metrics(self, version: Artifact) -> Mapping[str, float]:
        """As `training.churn_evaluation` has them. Raises `IncomparableError` for another horizon's."""
        theirs = calibration_of(version).horizon_days
        if theirs != self._horizon_days:
            raise IncomparableError(f"looks {theirs} days ahead, and not {self._horizon_days}")
        workflow = _load(version)
        scores = confidences(workflow, self._cases(workflow, self._tested), BATCH)
        return evaluate(self._tested.stayed_away, scores)

    def latency_ms(self, version: Artifact, batch: int) -> float:
        """On as many of the customers as a batch has."""
        workflow = _load(version)
        return latency_ms(workflow, self._cases(workflow, self._tested.first(batch)), batch)

    def _cases(self, workflow: ChurnWorkflow, rows: Examples) -> list[Case]:
        values, _ = point_in_time(
            self._store,
            DEFINITIONS,
            workflow.needs.stored,
            {CUSTOMER: rows.customers},
            rows.at,
            tenant_id=self._tenant_id,
        )
        return [
            Case(_EVENT, _DECISION, {}, FeatureVector(tuple(row), (), (), None, "offline", ""))
            for row in values.tolist()
        ]


def _load(version: Artifact) -> ChurnWorkflow:
    return ChurnWorkflow.load(version, ChurnThresholds(LABEL_AT, LABEL_AT))
