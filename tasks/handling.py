"""Execution of one message's batch, from its records to the verdict on the message. Knows no Celery."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from events.decision import Millis
from events.errors import Cause, DeadLetter, Retry
from events.lane import Batch, Fed
from tasks.outcomes import Outcomes
from tasks.patience import OutOfPatience, Patience
from tasks.policy import Limits, backoff
from tasks.streaks import Engine
from tasks.triage import MAX_LOSSES, GiveUp, Proceed, Resubmit, after_loss


@dataclass(frozen=True, slots=True)
class Finished:
    """Every event has its outcome. Flower shows the summary."""

    summary: str


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Retry these events after `pause` ms. `whole` is set if one error met the whole message."""

    batch: Batch
    error: Retry
    pause: Millis
    max_retries: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Successors:
    """Send each of these as a message of its own in this one's stead, and acknowledge it."""

    batches: tuple[Batch, ...]


Verdict = Finished | TryAgain | Successors


class Handling:
    """One message in a worker's hands.

    `publish` returns once Kafka holds what the outcomes say, and raises `Unavailable`. `share` (0 to 1) is
    a retry's jitter, `max_losses` how often the work on an event that is alone may be cut short.
    """

    def __init__(
        self,
        engine: Engine,
        publish: Callable[[Outcomes], None],
        patience: Patience,
        limits: Limits,
        queue: str,
        retries: int,
        share: Callable[[], float] = random.random,
        max_losses: int = MAX_LOSSES,
    ) -> None:
        self._engine = engine
        self._publish = publish
        self._patience = patience
        self._limits = limits
        self._queue = queue
        self._retries = retries
        self._share = share
        self._max_losses = max_losses
        self._predictions = 0
        self._dead_letters = 0

    def follow(self, turn: Proceed | Resubmit | GiveUp, batch: Batch) -> Verdict:
        """Do what triage has decided for this batch. Raises what a workflow with a bug raises."""
        match turn:
            case Proceed():
                return self._work(batch)
            case Resubmit(parts):
                return Successors(parts)
            case GiveUp(cause):
                lost = f"alone in its batch, it took the worker with it {batch.losses + 1} times"
                return self._give_up(batch, DeadLetter(cause, lost))

    def cut_short(self, batch: Batch, cause: Cause, error: Exception) -> Verdict:
        """The verdict where a time limit, or an error that no workflow may raise, ended the work."""
        match after_loss(batch, cause, self._max_losses):
            case Resubmit(parts):
                return Successors(parts)
            case GiveUp(cause):
                return self._give_up(batch, DeadLetter(cause, f"{type(error).__name__}: {error}"))

    def _work(self, batch: Batch) -> Verdict:
        pending = batch
        passes: list[Outcomes] = []
        while True:
            try:
                outcomes = self._decide(pending)
            except OutOfPatience:
                return self._hand_back(batch, pending.records, passes)
            try:
                self._publish_all(outcomes)
            except OutOfPatience:
                # what Kafka holds of this pass is not decided on again
                return self._hand_back(batch, outcomes.open, passes)
            passes.append(outcomes)
            pending = msgspec.structs.replace(pending, records=tuple(outcomes.waiting))
            if outcomes.down is None:
                return self._verdict(batch, passes)
            try:
                self._patience.wait(outcomes.down)
            except OutOfPatience:
                return self._hand_back(batch, pending.records, passes)

    def _hand_back(self, batch: Batch, open_: Sequence[Fed], passes: Sequence[Outcomes]) -> Successors:
        failed = (fed for outcomes in passes for fed in outcomes.again)
        return Successors((msgspec.structs.replace(batch, records=(*open_, *failed)),))

    def _decide(self, batch: Batch) -> Outcomes:
        try:
            return self._patience.through(partial(self._engine.decide, batch, self._queue, self._retries))
        except Retry as error:
            return self._engine.failed(batch, self._queue, self._retries, error)

    def _verdict(self, batch: Batch, passes: list[Outcomes]) -> Verdict:
        failed = [outcomes for outcomes in passes if outcomes.again]
        if not failed:
            return self._finished()
        records = tuple(fed for outcomes in failed for fed in outcomes.again)
        longest = max(outcomes.backoff for outcomes in failed)
        first_failure = failed[0].attempt.first_failure
        return TryAgain(
            msgspec.structs.replace(batch, records=records, first_failure=first_failure),
            error=next(outcomes.error for outcomes in failed if outcomes.error is not None),
            pause=backoff(self._retries, longest, self._limits.longest_backoff, self._share()),
            max_retries=max(outcomes.max_retries for outcomes in failed),
            whole=len(records) == len(batch),
        )

    def _give_up(self, batch: Batch, error: DeadLetter) -> Verdict:
        outcomes = self._engine.failed(batch, self._queue, self._retries, error)
        try:
            self._publish_all(outcomes)
        except OutOfPatience:
            return self._hand_back(batch, outcomes.open, ())
        return self._finished()

    def _publish_all(self, outcomes: Outcomes) -> None:
        self._patience.through(partial(self._publish, outcomes))
        self._predictions += outcomes.decided.total()
        self._dead_letters += outcomes.given_up.total()

    def _finished(self) -> Finished:
        parts = [f"{self._predictions} predictions"]
        if self._dead_letters:
            parts.append(f"{self._dead_letters} dead letters")
        return Finished(", ".join(parts))
