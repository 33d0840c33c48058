"""The churn workflow: calibrated gradient boosting, and thresholds on the probability."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from events.envelope import Envelope
from events.errors import SignalboxError
from events.prediction import ChurnDetail, Output
from features.contract import Contract
from features.keys import EntityKey
from features.retail import DEFINITIONS
from features.table import matrix_of
from models.artifact import Artifact
from models.calibration import Calibration, Floats, calibration_of
from models.churn_features import CUSTOMER
from models.contracts import contract_of
from models.explaining import explanations
from models.naming import named
from models.thresholds import ChurnThresholds
from models.trees import booster_of
from models.workflow import Answer, Case, ModelVersion

if TYPE_CHECKING:
    from lightgbm import Booster

MODEL = "churn-predictor"
LABEL_AT = 0.5
_WARM_BATCHES = (1, 64)


class ChurnWorkflow:
    """`models.workflow.Workflow` for events that name a customer. Make it after the fork; not thread-safe.

    Its probability is that of no order within the `horizon_days` of the version, from the event on.
    """

    name = MODEL

    def __init__(
        self,
        booster: "Booster",
        calibration: Calibration,
        version: ModelVersion,
        needs: Contract,
        thresholds: ChurnThresholds,
    ) -> None:
        self.needs = needs
        self._booster = booster
        self._calibration = calibration
        self._version = version
        self._thresholds = thresholds
        self._detail = ChurnDetail(calibration.horizon_days, thresholds.remind_at, thresholds.offer_at)
        for size in _WARM_BATCHES:
            self._probabilities(np.zeros((size, len(needs.names))))

    @classmethod
    def load(cls, artifact: Artifact, thresholds: ChurnThresholds) -> "ChurnWorkflow":
        """This version, warm. Raises `BrokenModelError` if it cannot be served."""
        needs = contract_of(artifact, DEFINITIONS, (), (CUSTOMER,))
        calibration = calibration_of(artifact)
        return cls(booster_of(artifact, needs), calibration, ModelVersion.of(artifact), needs, thresholds)

    @property
    def version(self) -> ModelVersion:
        """The version that `infer` answers with."""
        return self._version

    def entities(self, event: Envelope) -> Mapping[str, EntityKey]:
        """The customer. Raises `DeadLetter` if the payload names none."""
        return {CUSTOMER: EntityKey(event.tenant_id, CUSTOMER, self.entity_id(event))}

    def entity_id(self, event: Envelope) -> str:
        """The customer. Raises `DeadLetter` if the payload names none."""
        return named(event.payload, "customer_id")

    def infer(self, cases: Sequence[Case]) -> Sequence[Answer | SignalboxError]:
        """One answer for each case, in their order."""
        if not cases:
            return []
        names, calibration = self.needs.names, self._calibration
        matrix = matrix_of([case.features.values for case in cases], len(names))
        told = explanations(
            self._booster,
            matrix,
            names,
            cases,
            slope=calibration.slope,
            intercept=calibration.intercept,
        )
        return [
            Answer(self._output(probability), dict(zip(names, row, strict=True)), explanation=why)
            for probability, row, why in zip(
                self._probabilities(matrix).tolist(), matrix.tolist(), told, strict=True
            )
        ]

    def fall_back(self, case: Case, reason: str) -> Answer:  # noqa: ARG002  # of the case nothing is known
        """How often customers stay away who were like those of the training."""
        return Answer(self._output(self._calibration.base_rate), {}, fallback=reason)

    def _probabilities(self, matrix: Floats) -> Floats:
        # one thread: the pool has a process for each core, and OpenMP's threads do not survive a fork
        scores = self._booster.predict(matrix, raw_score=True, num_threads=1)
        return self._calibration.probabilities(np.asarray(scores))

    def _output(self, probability: float) -> Output:
        return Output(
            label="churns" if probability >= LABEL_AT else "stays",
            confidence=probability,
            decision=self._thresholds.decide(probability),
            detail=self._detail,
        )
