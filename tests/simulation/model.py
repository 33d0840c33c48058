"""A model that behaves as an event's id tells it to, and the store with its features."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from events.decision import Millis
from events.envelope import Envelope
from events.errors import DeadLetter, Retry, SignalboxError, Unavailable
from events.prediction import FraudDetail, Output
from features.contract import Contract
from features.keys import EntityKey
from features.reading import Asked, FeatureVector
from models.workflow import Answer, Case, ModelVersion
from tests.simulation.world import World

_VERSION = ModelVersion("simulated-v1", "1", "0" * 64, "0" * 12)
_NEEDS = Contract(needs=(), payload=(), hash="0" * 12)
_VECTOR = FeatureVector((1.0,), (), (), 1_700_000_000_000, "online", "0@1")


class ProcessKilledError(BaseException):
    """The process that infers is gone, from one moment to the next."""


class OverTimeError(Exception):
    """What Celery's soft time limit does to a task."""


class Store:
    """Holds the features of everybody, while it is up."""

    def __init__(self, world: World, clock: Callable[[], Millis]) -> None:
        self._world = world
        self._clock = clock

    def read(self, contract: Contract, asked: Sequence[Asked]) -> Sequence[FeatureVector]:
        """The same for each. Raises `Unavailable`."""
        if self._world.down("store", self._clock()):
            raise Unavailable("redis", "down")
        return [_VECTOR for _ in asked]


class Model:
    """One workflow. `failures` counts by prediction id what it failed at."""

    def __init__(self, world: World, failures: Counter[str]) -> None:
        self.name = "simulated"
        self.needs = _NEEDS
        self._world = world
        self._failures = failures

    @property
    def version(self) -> ModelVersion:
        """There is one."""
        return _VERSION

    def entities(self, event: Envelope) -> Mapping[str, EntityKey]:
        """The customer."""
        return {"customer": EntityKey(event.tenant_id, "customer", event.payload["customer_id"])}

    def entity_id(self, event: Envelope) -> str:
        """The customer."""
        return str(event.payload["customer_id"])

    def infer(self, cases: Sequence[Case]) -> Sequence[Answer | SignalboxError]:
        """What each event's id asks for; a batch may fail as a whole."""
        kinds = [case.event.event_id.partition("-")[0] for case in cases]
        if "poison" in kinds:
            raise ProcessKilledError
        if "slow" in kinds:
            raise OverTimeError
        if "bug" in kinds:
            raise ZeroDivisionError("a bug")
        if self._world.chance("inference fails"):
            self._failures.update(case.decision.prediction_id for case in cases)
            raise Retry("the whole batch failed")
        return [self._answer(case, kind) for case, kind in zip(cases, kinds, strict=True)]

    def fall_back(self, case: Case, reason: str) -> Answer:
        """It never has to."""
        raise NotImplementedError

    def _answer(self, case: Case, kind: str) -> Answer | SignalboxError:
        known = case.decision.prediction_id
        number = int(case.event.event_id.partition("-")[2])
        if kind == "bad":
            return DeadLetter("rejected", "can never succeed")
        if kind == "hopeless" or (kind == "flaky" and self._failures[known] <= number % 3):
            self._failures[known] += 1
            return Retry("not now")
        # answers differ from one inference to the next: only the first may count
        confidence = self._world.random.random()
        return Answer(Output("fraud", confidence, "approve", FraudDetail(0.5, 0.9)), {"amount_mean": 1.0})
