"""What a worker must know of its one model. The lifecycle around it is the same for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from events.decision import Decision
from events.envelope import Envelope
from events.errors import SignalboxError
from events.prediction import Explanation, Output
from features.contract import Contract
from features.keys import EntityKey
from features.reading import FeatureVector
from models.artifact import Artifact


@dataclass(frozen=True, slots=True)
class Case:
    """One event to decide on, whose features it needs, by entity, and what the feature store has of them."""

    event: Envelope
    decision: Decision
    keys: Mapping[str, EntityKey]
    features: FeatureVector


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said of one case, and the values that were looked at.

    `fallback` is why the model was not asked; None if it was. `explanation` is there if the case's
    decision asks for one (`explain`). `read` is the reading that the values are of, where that is not the
    case's: an answer that was begun before goes by what was read then.
    """

    output: Output
    features: Mapping[str, float]
    fallback: str | None = None
    explanation: Explanation | None = None
    read: FeatureVector | None = None


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """Which model answered. `model_id` is `<model>-v<version>`, `digest` the SHA-256 of its files."""

    model_id: str
    version: str
    digest: str
    feature_hash: str

    @classmethod
    def of(cls, artifact: Artifact) -> "ModelVersion":
        """What is stamped on the predictions of this one."""
        metadata, version = artifact.metadata, artifact.version
        recipe = metadata.recipe
        return cls(f"{recipe.model}-v{version}", version, metadata.digest, recipe.feature_hash)


class Workflow(Protocol):
    """One model behind the common contract. Made and loaded in the process that infers, after the fork."""

    name: str
    needs: Contract
    """The features that this version reads from the store, and what it does where one is missing or stale."""

    @property
    def version(self) -> ModelVersion:
        """The version that `infer` answers with."""

    def entities(self, event: Envelope) -> Mapping[str, EntityKey]:
        """Whose features this event needs, by entity. Raises `DeadLetter` if the payload names none."""

    def entity_id(self, event: Envelope) -> str:
        """Whom the prediction is about: the order, the customer, the SKU."""

    def infer(self, cases: Sequence[Case]) -> Sequence[Answer | SignalboxError]:
        """One answer or error for each case, in their order.

        Raises `Retry` only if the whole batch failed. A `SignalboxError` in the place of an answer
        concerns that case alone.
        """

    def fall_back(self, case: Case, reason: str) -> Answer:
        """The answer without the model, for a case whose features do not allow it, by what `needs` says."""
