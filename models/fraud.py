"""Is this order fraud? LightGBM over one matrix for a whole batch, and thresholds on what it says."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from events.envelope import Envelope
from events.errors import DeadLetter, SignalboxError
from events.prediction import FraudDetail, Output
from features.keys import EntityKey
from models.artifact import Artifact, BrokenModelError, load_newest
from models.fraud_features import (
    CUSTOMER,
    CUSTOMER_FEATURES,
    FEATURE_HASH,
    FEATURES,
    NEEDS,
    TERMINAL,
    TERMINAL_FEATURES,
)
from models.fraud_matrix import Matrix, amount_of, assemble
from models.thresholds import Thresholds, load_thresholds
from models.workflow import Answer, Case, ModelVersion

if TYPE_CHECKING:
    from lightgbm import Booster

__all__ = ["CUSTOMER_FEATURES", "FEATURES", "MODEL", "TERMINAL_FEATURES", "FraudWorkflow"]

MODEL = "fraud-classifier"
LABEL_AT = 0.5
_WARM_BATCHES = (1, 64, 1_024)
_SUSPICIOUS_FROM = 220.0
"""Amount from which on the rule without a model has an order looked at. In the handbook's data all above are
fraud, and they are a twentieth of it."""


class FraudWorkflow:
    """`models.workflow.Workflow` for `order.placed`. Make it after the fork; not thread-safe."""

    name = MODEL
    needs = NEEDS

    def __init__(self, booster: "Booster", version: ModelVersion, thresholds: Thresholds) -> None:
        self._booster = booster
        self._version = version
        self._thresholds = thresholds
        self._detail = FraudDetail(thresholds.review_at, thresholds.hold_at)
        for size in _WARM_BATCHES:
            self._probabilities(np.zeros((size, len(FEATURES))))

    @classmethod
    def load(cls, model_dir: Path, config_path: Path) -> "FraudWorkflow":
        """The newest version that is whole, warm. Raises `ConfigError` where one or the thresholds lack."""
        thresholds = load_thresholds(config_path)
        return load_newest(
            model_dir, MODEL, lambda artifact: cls(_booster(artifact), _version(artifact), thresholds)
        )

    @property
    def version(self) -> ModelVersion:
        """The version that `infer` answers with."""
        return self._version

    def entities(self, event: Envelope) -> Mapping[str, EntityKey]:
        """The order's customer and terminal. Raises `DeadLetter` where the payload names none."""
        tenant_id, payload = event.tenant_id, event.payload
        return {
            CUSTOMER: EntityKey(tenant_id, CUSTOMER, _named(payload, "customer_id")),
            TERMINAL: EntityKey(tenant_id, TERMINAL, _named(payload, "terminal_id")),
        }

    def entity_id(self, event: Envelope) -> str:
        """The order. Raises `DeadLetter` where the payload names none."""
        return _named(event.payload, "order_id")

    def infer(self, cases: Sequence[Case]) -> Sequence[Answer | SignalboxError]:
        """One answer or `DeadLetter` for each case, in their order."""
        if not cases:
            return []
        seen = assemble(cases)
        answers: list[Answer | SignalboxError] = [
            Answer(self._output(probability), dict(zip(FEATURES, values, strict=True)))
            for probability, values in zip(
                self._probabilities(seen.matrix), seen.matrix.tolist(), strict=True
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


def _named(payload: Mapping[str, Any], field: str) -> str:
    value = payload.get(field)
    if isinstance(value, str) and value:
        return value
    raise DeadLetter("missing_feature", f"payload.{field} must be a text that is not empty")


def _version(artifact: Artifact) -> ModelVersion:
    metadata = artifact.metadata
    version = metadata.version
    return ModelVersion(f"{MODEL}-v{version}", version, metadata.digest, metadata.recipe.feature_hash)


def _booster(artifact: Artifact) -> "Booster":
    # here and not above: whoever imports this module before it forks must not start LightGBM's threads
    from lightgbm import Booster
    from lightgbm.basic import LightGBMError

    recipe = artifact.metadata.recipe
    if recipe.feature_hash != FEATURE_HASH or recipe.feature_names != FEATURES:
        raise BrokenModelError(
            artifact.path,
            f"it was trained on the features {recipe.feature_hash}, this code serves {FEATURE_HASH}",
        )
    try:
        booster = Booster(model_str=artifact.trees)
    except LightGBMError as error:
        raise BrokenModelError(artifact.path, f"LightGBM cannot read its trees: {error}") from error
    if tuple(booster.feature_name()) != FEATURES:
        raise BrokenModelError(
            artifact.path, "its trees were grown on columns that its metadata does not name"
        )
    return booster
