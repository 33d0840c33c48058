"""Evaluation of any fraud version on the orders that a training was measured on."""

from collections.abc import Mapping

from events.decision import Decision, Position
from events.envelope import Envelope
from events.priority import Priority
from features.reading import FeatureVector
from models.artifact import Artifact
from models.fraud import LABEL_AT, MODEL, FraudWorkflow
from models.thresholds import Thresholds
from models.workflow import Case
from training.bench import confidences, latency_ms
from training.evaluation import evaluate
from training.stored import Stored
from training.transactions import Places, Transactions

BATCH = 1_024
# what a worker is handed beside the event and its features; the model looks at none of it
_DECISION = Decision(
    prediction_id="pred_bench",
    workflow=MODEL,
    queue="ml.fraud.input",
    priority=Priority.HIGH,
    rule="bench",
    table_hash="",
    sla_ms=1,
    deadline=0,
    source=Position("bench", 0, 0),
)


class FraudBench:
    """`training.bench.Bench` over the orders `places` of `transactions`."""

    def __init__(self, transactions: Transactions, places: Places, stored: Stored) -> None:
        self._transactions = transactions
        self._places = places
        self._stored = stored

    def metrics(self, version: Artifact) -> Mapping[str, float]:
        """As `training.evaluation` has them."""
        workflow, known, places = _load(version), self._transactions, self._places
        scores = confidences(workflow, self._cases(workflow, places), BATCH)
        return evaluate(known.days[places], known.customers.codes[places], known.fraud[places], scores)

    def latency_ms(self, version: Artifact, batch: int) -> float:
        """On as many of the orders as a batch has."""
        workflow = _load(version)
        return latency_ms(workflow, self._cases(workflow, self._places[:batch]), batch)

    def _cases(self, workflow: FraudWorkflow, places: Places) -> list[Case]:
        known = self._transactions
        values = self._stored(workflow.needs.stored, known, places).tolist()
        return [
            Case(
                _order(int(known.time[place]), int(known.amount_cents[place])),
                _DECISION,
                {},
                FeatureVector(tuple(row), (), (), None, "offline", ""),
            )
            for place, row in zip(places, values, strict=True)
        ]


def _load(version: Artifact) -> FraudWorkflow:
    return FraudWorkflow.load(version, Thresholds(LABEL_AT, LABEL_AT))


def _order(second: int, cents: int) -> Envelope:
    return Envelope(
        event_id="bench",
        event_type="order.placed",
        source="bench",
        version="1.0.0",
        occurred_at=second * 1_000,
        tenant_id="bench",
        payload={"amount": cents / 100},
    )
