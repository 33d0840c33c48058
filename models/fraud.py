"""The fraud workflow: LightGBM over one matrix for a batch, and thresholds on the score."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from events.envelope import Envelope
from events.errors import SignalboxError
from events.prediction import FraudDetail, Output
from features.contract import Contract
from features.keys import EntityKey
from features.retail import DEFINITIONS
from models.artifact import Artifact
from models.contracts import contract_of
from models.explaining import explanations
from models.fraud_features import CUSTOMER, ENTITIES, ORDER_FEATURES, TERMINAL
from models.fraud_matrix import Matrix, amount_of, assemble
from models.naming import named
from models.thresholds import Thresholds
from models.trees import booster_of
from models.workflow import Answer, Case, ModelVersion

if TYPE_CHECKING:
    from lightgbm import Booster

MODEL = "fraud-classifier"
LABEL_AT = 0.5
_WARM_BATCHES = (1, 64, 1_024)
_SUSPICIOUS_FROM = 220.0
"""Amount from which on the rule without a model has an order looked at. In the handbook's data all above are
fraud, and they are a twentieth of it."""


class FraudWorkflow:
    """`models.workflow.Workflow` for `order.placed`. Make it after the fork; not thread-safe."""

    name = MODEL

    def __init__(
        self, booster: "Booster", version: ModelVersion, needs: Contract, thresholds: Thresholds
    ) -> None:
        self.needs = needs
        self._booster = booster
        self._version = version
        self._thresholds = thresholds
        self._detail = FraudDetail(thresholds.review_at, thresholds.hold_at)
        for size in _WARM_BATCHES:
            self._probabilities(np.zeros((size, len(needs.names))))

    @classmethod
    def load(cls, artifact: Artifact, thresholds: Thresholds) -> "FraudWorkflow":
        """This version, warm. Raises `BrokenModelError` if it cannot be served."""
        needs = contract_of(artifact, DEFINITIONS, ORDER_FEATURES, ENTITIES)
        return cls(booster_of(artifact, needs), ModelVersion.of(artifact), needs, thresholds)

    @property
    def version(self) -> ModelVersion:
        """The version that `infer` answers with."""
        return self._version

    def entities(self, event: Envelope) -> Mapping[str, EntityKey]:
        """The order's customer and terminal. Raises `DeadLetter` if the payload names none."""
        tenant_id, payload = event.tenant_id, event.payload
        return {
            CUSTOMER: EntityKey(tenant_id, CUSTOMER, named(payload, "customer_id")),
            TERMINAL: EntityKey(tenant_id, TERMINAL, named(payload, "terminal_id")),
        }

    def entity_id(self, event: Envelope) -> str:
        """The order. Raises `DeadLetter` if the payload names none."""
        return named(event.payload, "order_id")

    def infer(self, cases: Sequence[Case]) -> Sequence[Answer | SignalboxError]:
        """One answer or `DeadLetter` for each case, in their order."""
        if not cases:
            return []
        seen, names = assemble(cases, self.needs), self.needs.names
        answers: list[Answer | SignalboxError] = [
            Answer(self._output(probability), dict(zip(names, values, strict=True)), explanation=why)
            for probability, values, why in zip(
                self._probabilities(seen.matrix),
                seen.matrix.tolist(),
                explanations(self._booster, seen.matrix, names, cases),
                strict=True,
            )
        ]
        for place, error in seen.refused.items():
            answers[place] = error
        return answers

    def fall_back(self, case: Case, reason: str) -> Answer:
        """By the amount alone: a large order is reviewed, none is held. Raises `DeadLetter` without one."""
        amount = amount_of(case.event)
        probability = self._thresholds.review_at if amount >= _SUSPICIOUS_FROM else 0.0
        return Answer(self._output(probability), {"amount": amount}, fallback=reason)

    def _probabilities(self, matrix: Matrix) -> list[float]:
        # one thread: the pool has a process for each core, and OpenMP's threads do not survive a fork
        answer: list[float] = np.asarray(self._booster.predict(matrix, num_threads=1)).tolist()
        return answer

    def _output(self, probability: float) -> Output:
        return Output(
            label="fraud" if probability >= LABEL_AT else "legitimate",
            confidence=probability,
            decision=self._thresholds.decide(probability),
            detail=self._detail,
        )
