"""What one pass made of a batch: what to publish, who gets another try, who waits for what is down."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from events.decision import Millis
from events.errors import Cause, DeadLetter, Retry, SignalboxError, Unavailable
from events.lane import Batch, Fed, LaneRecord, decode_record
from tasks.letters import Failure, dead_letter, shortened
from tasks.policy import Again, Await, DeadLettered, reaction
from tasks.records import Stamp, prediction
from transport.kafka import Outgoing
from transport.publisher import Unwritten

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


@dataclass(frozen=True, slots=True)
class Written:
    """A record for Kafka, the event that it is the outcome of, and, of a prediction, what was decided."""

    record: Outgoing
    fed: Fed
    decision: str | None = None


class Outcomes:
    """Filled event by event. `records` are to be published before anything is retried."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.unwritten: list[Written] = []
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
        """The model answered for this event. Raises `DeadLetter` if its answer is no prediction."""
        record = prediction(fed, case, answer, entity_id, stamp)
        self.unwritten.append(Written(record, fed, answer.output.decision))
        self.decided[answer.output.decision] += 1
        decision = case.decision
        self.latencies_ms.append(stamp.now - decision.deadline + decision.sla_ms)
        self.late += stamp.now > decision.deadline

    def failed(self, fed: Fed, record: LaneRecord | None, error: SignalboxError) -> None:
        """This event failed; `record` is None if it could not even be read."""
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
                self._give_up(fed, record, cause, error)

    def _give_up(self, fed: Fed, record: LaneRecord | None, cause: Cause, error: SignalboxError) -> None:
        attempt = self.attempt
        self.given_up[cause] += 1
        failure = Failure(cause, error, attempt.retries + 1, attempt.first_failure, attempt.now)
        self.unwritten.append(Written(dead_letter(fed, record, attempt.queue, failure), fed))

    @property
    def records(self) -> list[Outgoing]:
        """What Kafka is to hold before anything is retried, as far as it does not hold it yet."""
        return [written.record for written in self.unwritten]

    @property
    def open(self) -> tuple[Fed, ...]:
        """The events whose outcome is not in Kafka: to be published, retried, or awaited."""
        return (*(written.fed for written in self.unwritten), *self.again, *self.waiting)

    def write(self, publish: Callable[[Sequence[Outgoing]], None]) -> None:
        """Return once Kafka holds all of `records`; what it holds is never written again.

        Raises `Unavailable`: call it again later. A prediction that Kafka will never take becomes a dead
        letter of its event, and a dead letter is cut. One that cannot be cut further waits, as in an outage.
        """
        while self.unwritten:
            try:
                publish(self.records)
            except Unwritten as error:
                if not self._partly_written(error):
                    raise
            else:
                self.unwritten.clear()

    def _partly_written(self, error: Unwritten) -> bool:
        """Whether more can be written now: no outage is in the way, and what was refused is smaller."""
        before, self.unwritten = self.unwritten, [self.unwritten[place] for place in error.left]
        replaced = False
        for place, reason in error.refused.items():
            written = before[place]
            smaller = self._smaller(written, f"Kafka will not take its record: {reason}")
            replaced = replaced or smaller
            if not smaller:
                self.unwritten.append(written)
        return replaced and not error.left

    def _smaller(self, written: "Written", reason: str) -> bool:
        if written.decision is not None:
            self.decided[written.decision] -= 1
            self._give_up(written.fed, _record_of(written.fed), "too_large", DeadLetter("too_large", reason))
            return True
        shorter = shortened(written.record)
        if shorter is None:
            return False
        self.unwritten.append(Written(shorter, written.fed))
        return True


def _record_of(fed: Fed) -> LaneRecord | None:
    try:
        return decode_record(fed.record)
    except DeadLetter:
        return None


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
