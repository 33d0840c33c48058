"""The retry policy of a worker: its reaction to each kind of error. Knows no Celery and no clock."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.backoff import exponential, half_jittered
from events.decision import Millis
from events.errors import Cause, DeadLetter, Retry, SignalboxError, Unavailable
from events.lane import Batch
from routing.catalogue import QueueSpec

FIRST_PAUSE_MS = 50
LONGEST_PAUSE_MS = 1_000
LONGEST_BACKOFF_MS = 60_000
LONGEST_PUBLISH_S = 5.0


class UnexpectedError(Retry):
    """An event alone met an error that no workflow may raise. It may be a glitch: it is tried again later."""


@dataclass(frozen=True, slots=True)
class Again:
    """The event failed and may be tried again."""


@dataclass(frozen=True, slots=True)
class DeadLettered:
    """The event goes to the dead-letter topic of its queue."""

    cause: Cause


@dataclass(frozen=True, slots=True)
class Await:
    """What the event needs is down. It waits, and no attempt is used up."""


def reaction(error: SignalboxError, retries: int, max_retries: int) -> Again | DeadLettered | Await:
    """What becomes of an event that failed with `error`, after `retries` retries of `max_retries`."""
    match error:
        case Unavailable():
            return Await()
        case Retry() if retries < max_retries:
            return Again()
        case UnexpectedError():
            return DeadLettered("unexpected")
        case Retry():
            return DeadLettered("retries_exhausted")
        case DeadLetter():
            return DeadLettered(error.cause)
        case _:
            # a `Fallback` or an `Escalate` that no workflow answers yet: the seam for both is here
            return DeadLettered("rejected")


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds a task of one queue, all in milliseconds.

    `patience` is how long a batch waits in place for a dependency before it is handed back, `surrender`
    after how long it is given back to a broker that does not take it, `publish` how long Kafka may take to
    acknowledge, `longest_backoff` the longest pause before a retry.
    """

    patience: Millis
    surrender: Millis
    publish: Millis
    longest_backoff: Millis

    @classmethod
    def of(cls, specs: Sequence[QueueSpec]) -> "Limits":
        """The limits that hold on each of these queues.

        A retry's pause, a wait and a run must end within the visibility timeout, or Redis hands the message
        to a second worker.
        """
        soft = min(spec.soft_time_limit_s for spec in specs) * 1_000
        visibility = min(spec.visibility_timeout_s for spec in specs) * 1_000
        spare = min(spec.visibility_timeout_s - spec.time_limit_s for spec in specs) * 1_000
        patience = min(soft, visibility * 2 // 3) // 2
        return cls(
            patience=patience,
            surrender=patience * 8 // 5,
            publish=min(int(LONGEST_PUBLISH_S * 1_000), patience * 3 // 5),
            longest_backoff=min(LONGEST_BACKOFF_MS, max(spare, visibility // 3)),
        )


def backoff(retries: int, first: Millis, longest: Millis, share: float) -> Millis:
    """The pause before retry number `retries` + 1: exponential, half fixed and half by `share` (0 to 1)."""
    return int(half_jittered(exponential(retries, first, longest), share))


@dataclass(frozen=True, slots=True)
class Pause:
    """Look again after this many milliseconds."""

    length: Millis


@dataclass(frozen=True, slots=True)
class HandBack:
    """Send the batch as a fresh message and acknowledge this one: no time limit hits what only waits."""


@dataclass(frozen=True, slots=True)
class Surrender:
    """The broker does not take it either: give the message back as it is."""


def next_wait(waited: Millis, pauses: int, limits: Limits, stopping: bool) -> Pause | HandBack:
    """What to do while a dependency is down, `waited` ms after the message came and after `pauses` pauses."""
    pause = exponential(pauses, FIRST_PAUSE_MS, LONGEST_PAUSE_MS)
    if stopping or waited + pause > limits.patience:
        return HandBack()
    return Pause(pause)


def next_refusal(waited: Millis, pauses: int, limits: Limits, stopping: bool) -> Pause | Surrender:
    """What it does when the broker refused the batch that it wanted to hand back."""
    pause = exponential(pauses, FIRST_PAUSE_MS, LONGEST_PAUSE_MS)
    if stopping or waited + pause > limits.surrender:
        return Surrender()
    return Pause(pause)


def successor_id(task_id: str, batch: Batch) -> str:
    """The id of a message that is sent in another's stead: its batch's name, and which generation it is."""
    generation = task_id.rpartition("~")[2]
    following = int(generation) + 1 if generation.isdecimal() and "~" in task_id else 1
    return f"{batch_name(batch)}~{following}"


def batch_name(batch: Batch) -> str:
    """`ml.fraud.input.high[3]@1200+256`: 256 records, from that one on."""
    return f"{batch.records[0].lane}+{len(batch)}" if batch.records else "empty"
