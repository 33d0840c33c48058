"""What a worker must know of its one model. The lifecycle around it is the same for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from events.decision import Decision
from events.envelope import Envelope
from events.errors import SignalboxError
from events.prediction import Output
from features.online import EntityKey, FeatureRow


@dataclass(frozen=True, slots=True)
class Case:
    """One event to decide on, with the feature rows that were found, by entity ("customer", "terminal")."""

    event: Envelope
    decision: Decision
    rows: Mapping[str, FeatureRow | None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said of one case, the values that it saw, and which of them stood at their default."""

    output: Output
    features: Mapping[str, float]
    missing: tuple[str, ...] = ()
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """Which model answered. `model_id` is `<model>-v<version>`, `digest` the SHA-256 of its files."""

    model_id: str
    version: str
    digest: str
    feature_hash: str


class Workflow(Protocol):
    """One model behind the common contract. Made and loaded in the process that infers, after the fork."""

    name: str

    @property
    def version(self) -> ModelVersion:
        """The version that `infer` answers with."""

    def entities(self, event: Envelope) -> Mapping[str, EntityKey]:
        """Whose features this event needs, by entity. Raises `DeadLetter` where the payload names none."""

    def entity_id(self, event: Envelope) -> str:
        """Whom the prediction is about: the order, the customer, the SKU."""

    def infer(self, cases: Sequence[Case]) -> Sequence[Answer | SignalboxError]:
        """One answer or error for each case, in their order.

        Raises `Retry` only where the whole batch failed. A `SignalboxError` in the place of an answer
        concerns that case alone.
        """
