"""The task of every workflow, from Celery's side. A workflow's module says only its name and how its model is loaded."""

from abc import abstractmethod
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from billiard.exceptions import SoftTimeLimitExceeded
from celery.exceptions import Reject
from celery.exceptions import Retry as TaskRetry
from celery.utils.log import get_task_logger
from kombu.exceptions import OperationalError

from events.decision import Millis, dead_letter_topic
from events.errors import DeadLetter, Retry, Unavailable
from events.lane import Batch, decode_batch, encode_batch
from models.workflow import Workflow
from tasks.base import EventTask
from tasks.delivery import Delivery
from tasks.equipment import Equipment, count
from tasks.handling import Finished, Handling, Successors, TryAgain, Verdict
from tasks.lifecycle import Lifecycle
from tasks.outcomes import Outcomes
from tasks.patience import OutOfPatience, Patience
from tasks.policy import Limits, backoff, batch_name, successor_id
from tasks.triage import GiveUp, Proceed, Resubmit, triage

CELERY_BACKOFF_MS = 1_000
"""What `retry_backoff = True` begins with."""

RETRY_COUNTS_MS = 60_000
"""How much longer than its pause a retry counts as outstanding, where it never begins."""

logger = get_task_logger(__name__)


class InferenceTask(EventTask):
    """Takes one batch of events, and leaves an outcome for each of them in Kafka."""

    autoretry_for = (Retry,)
    retry_backoff = True
    retry_backoff_max = 60
    retry_jitter = True
    max_retries = 3
    default_retry_delay = 5
    code_version = ""

    @abstractmethod
    def load(self) -> Workflow:
        """Load the model and warm it, in the process that infers."""

    def equip(self, equipment: Equipment, limits: Limits) -> None:
        """Load the workflow, once per process."""
        super().equip(equipment, limits)
        workflow = self.load()
        self.workflow = workflow.name
        self.engine = Lifecycle(workflow, equipment.store, self.clock, self.code_version)

    def run(self, *args: object, **kwargs: object) -> str:
        """One positional argument: `events.lane.encode_batch(batch)`. Answers what Flower shows of it."""
        try:
            return self._run(args, kwargs)
        except SoftTimeLimitExceeded:
            # it struck while the batch was being sent on, or just before its work began
            self.give_back("time limit")

    def _run(self, args: tuple[object, ...], kwargs: dict[str, object]) -> str:
        delivery, patience = self.delivery(), self.patience()
        equipment, limits = self.equipped
        if delivery.retries:
            equipment.tally.remove(delivery.queue, delivery.task_id)
        try:
            batch = decode_batch(args[0] if len(args) == 1 and not kwargs else None)
        except DeadLetter as error:
            return self.dead_letter(repr((args, kwargs)).encode("utf-8", "backslashreplace"), "", error)
        handling = Handling(
            self.engine, self._publish_and_count, patience, limits, delivery.queue, delivery.retries
        )
        try:
            verdict = handling.follow(self._triage(batch, delivery, patience), batch)
        except OutOfPatience:
            verdict = Successors((batch,))
        except SoftTimeLimitExceeded as error:
            verdict = Successors((batch,)) if patience.waiting else handling.cut_short(batch, "timeout", error)
        except Exception as error:  # noqa: BLE001 - the outermost: a bug is to cost one event, not its batch
            logger.exception("%s: an error that no workflow may raise", batch_name(batch))
            verdict = handling.cut_short(batch, "rejected", error)
        self._ended(batch, delivery)
        return self._carry_out(verdict, delivery, patience)

    def retry(
        self,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        exc: Exception | None = None,
        throw: bool = True,
        eta: datetime | None = None,
        countdown: float | None = None,
        max_retries: int | None = None,
        **options: Any,
    ) -> TaskRetry:
        """Every retry comes through here, Celery's own too: its pause is bounded, it counts as outstanding, it is not dropped."""
        equipment, limits = self.equipped
        delivery, now = self.delivery(), self.clock()
        longest = limits.longest_backoff
        pause = min(self.default_retry_delay if countdown is None else countdown, longest / 1_000)
        if args is None:
            # Celery's own: its full jitter answers 0 s for every other first retry
            pause = max(pause, backoff(delivery.retries, CELERY_BACKOFF_MS, longest, share=0) / 1_000)
        batch = _failed(decode_batch((args or self.request.args or ("",))[0]), now)
        equipment.tally.add(delivery.queue, delivery.task_id, now + int(pause * 1_000) + RETRY_COUNTS_MS)
        options |= {"argsrepr": argsrepr(batch), "kwargsrepr": "{}"}
        try:
            return super().retry(
                (encode_batch(batch),), {}, exc, throw, eta, pause, max_retries, **options
            )
        except Reject as refused:
            # Celery would drop the message of a retry that the broker did not take
            equipment.tally.remove(delivery.queue, delivery.task_id)
            self.give_back(refused)
        finally:
            # Celery keeps one retry's `max_retries` on the task, for every later message
            self.__dict__.pop("override_max_retries", None)

    def _triage(self, batch: Batch, delivery: Delivery, patience: Patience) -> Proceed | Resubmit | GiveUp:
        suspects = self.equipped[0].suspects
        lost = delivery.redelivered and len(batch) > 0
        if lost and batch.losses:
            lost = patience.through(partial(suspects.had_begun, delivery.task_id))
        turn = triage(batch, lost)
        if batch.losses and isinstance(turn, Proceed):
            patience.through(partial(suspects.begin, delivery.task_id))
        return turn

    def _ended(self, batch: Batch, delivery: Delivery) -> None:
        if batch.losses:
            with suppress(Unavailable):
                self.equipped[0].suspects.end(delivery.task_id)

    def _carry_out(self, verdict: Verdict, delivery: Delivery, patience: Patience) -> str:
        match verdict:
            case Finished(summary):
                return summary
            case Successors(batches):
                for batch in batches:
                    if not patience.hand_back(partial(self._send, batch, delivery)):
                        self.give_back("the broker took no successor")
                return f"sent on as {len(batches)} messages"
            case TryAgain() if verdict.whole and delivery.retries < self.max_retries:
                raise verdict.error
            case TryAgain():
                raise self.retry(
                    (encode_batch(verdict.batch),),
                    exc=verdict.error,
                    countdown=verdict.pause / 1_000,
                    max_retries=verdict.max_retries,
                )

    def _send(self, batch: Batch, delivery: Delivery) -> None:
        options: dict[str, Any] = {"argsrepr": argsrepr(batch), "kwargsrepr": "{}", "retries": delivery.retries}
        if delivery.priority is not None:
            options["priority"] = delivery.priority
        try:
            self.apply_async(
                (encode_batch(batch),),
                task_id=successor_id(delivery.task_id, batch),
                queue=delivery.queue,
                **options,
            )
        except OperationalError as error:
            raise Unavailable("celery broker", error) from error

    def _publish_and_count(self, outcomes: Outcomes) -> None:
        self.publish(outcomes.records)
        count(outcomes, self.workflow, dead_letter_topic(outcomes.attempt.queue))


def argsrepr(batch: Batch) -> str:
    """What logs and Flower show in the place of a batch."""
    return f"{len(batch)} records, from {batch_name(batch)}"


def _failed(batch: Batch, now: Millis) -> Batch:
    if batch.first_failure is not None:
        return batch
    return msgspec.structs.replace(batch, first_failure=now)
