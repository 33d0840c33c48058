"""What one pass made of a batch: what to publish, who gets another try, who waits for what is down."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from events.decision import Millis
from events.errors import DeadLetter, Retry, SignalboxError, Unavailable
from events.lane import Batch, Fed, LaneRecord, decode_record
from tasks.letters import Failure, dead_letter
from tasks.policy import Again, Await, DeadLettered, reaction
from tasks.records import Stamp, prediction
from transport.kafka import Outgoing

if TYPE_CHECKING:
    from models.workflow import Answer, Case

DEFAULT_MAX_RETRIES = 3
DEFAULT_BACKOFF_MS = 1_000


@dataclass(frozen=True, slots=True)
class Attempt:
    """A batch in a worker's hands: from which queue, after how many retries, begun when (epoch ms)."""

    batch: Batch
    queue: str
    retries: int
    now: Millis

    @property
    def first_failure(self) -> Millis:
        """When these events first failed, seen from a failure of now."""
        return self.batch.first_failure if self.batch.first_failure is not None else self.now


class Outcomes:
    """Filled event by event. `records` are to be published before anything is retried."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.records: list[Outgoing] = []
        self.again: list[Fed] = []
        self.waiting: list[Fed] = []
        self.down: Unavailable | None = None
        self.error: Retry | None = None
        self.max_retries = 0
        self.backoff: Millis = 0
        self.decided: Counter[str] = Counter()
        self.given_up: Counter[str] = Counter()
        self.latencies_ms: list[float] = []
        self.late = 0
        self.inference_s = 0.0

    def answered(self, fed: Fed, case: "Case", answer: "Answer", entity_id: str, stamp: Stamp) -> None:
        """The model answered for this event. Raises `DeadLetter` where its answer is no prediction."""
        self.records.append(prediction(fed, case, answer, entity_id, stamp))
        self.decided[answer.output.decision] += 1
        decision = case.decision
        self.latencies_ms.append(stamp.now - decision.deadline + decision.sla_ms)
        self.late += stamp.now > decision.deadline

    def failed(self, fed: Fed, record: LaneRecord | None, error: SignalboxError) -> None:
        """This event failed; `record` is None where it could not even be read."""
        attempt = self.attempt
        max_retries = record.decision.max_retries if record else DEFAULT_MAX_RETRIES
        match reaction(error, attempt.retries, max_retries):
            case Again():
                self.again.append(fed)
                self.error = error if isinstance(error, Retry) else None
                self.max_retries = max(self.max_retries, max_retries)
                self.backoff = max(self.backoff, record.decision.backoff_ms if record else DEFAULT_BACKOFF_MS)
            case Await():
                self.waiting.append(fed)
                self.down = error if isinstance(error, Unavailable) else None
            case DeadLettered(cause):
                self.given_up[cause] += 1
                failure = Failure(cause, error, attempt.retries + 1, attempt.first_failure, attempt.now)
                self.records.append(dead_letter(fed, record, attempt.queue, failure))


def all_failed(attempt: Attempt, error: SignalboxError) -> Outcomes:
    """The outcomes of a batch each event of which met `error`."""
    outcomes = Outcomes(attempt)
    for fed in attempt.batch.records:
        try:
            record = decode_record(fed.record)
        except DeadLetter as unreadable:
            outcomes.failed(fed, None, unreadable)
        else:
            outcomes.failed(fed, record, error)
    return outcomes
