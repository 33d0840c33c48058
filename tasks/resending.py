"""A Celery task that sends events again: as a retry with backoff, or as messages of their own."""

from datetime import datetime
from typing import Any

import msgspec
from celery.exceptions import Reject
from celery.exceptions import Retry as TaskRetry
from kombu.exceptions import OperationalError

from events.decision import Millis
from events.errors import Retry, Unavailable
from events.lane import Batch, decode_batch, encode_batch
from tasks.base import EventTask
from tasks.delivery import Delivery
from tasks.policy import backoff, batch_name, successor_id

CELERY_BACKOFF_MS = 1_000
"""What `retry_backoff = True` begins with."""

COUNTS_MS = 60_000
"""How much longer than its pause a retry counts as outstanding, where it never begins."""


class ResendingTask(EventTask):
    """A task whose one argument is a batch. Celery retries it where it raises `Retry`."""

    autoretry_for = (Retry,)
    retry_backoff = True
    retry_backoff_max = 60
    retry_jitter = True
    max_retries: int = 3
    default_retry_delay = 5

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
        """Every retry, Celery's own too: its pause is bounded, it counts as outstanding, none is lost."""
        equipment, limits = self.equipped
        delivery, now = self.delivery(), self.clock()
        longest = limits.longest_backoff
        pause = min(self.default_retry_delay if countdown is None else countdown, longest / 1_000)
        if isinstance(exc, Retry) and exc.pause_ms is not None:
            pause = min(exc.pause_ms, longest) / 1_000
        elif args is None:
            # Celery's own: its full jitter answers 0 s for every other first retry
            pause = max(pause, backoff(delivery.retries, CELERY_BACKOFF_MS, longest, share=0) / 1_000)
        batch = _failed(self.opened((args or self.request.args or ("",))[0]), now)
        equipment.tally.add(delivery.queue, delivery.task_id, now + int(pause * 1_000) + COUNTS_MS)
        options |= {"argsrepr": shown(batch), "kwargsrepr": "{}"}
        arguments = (self.signed(batch),)
        try:
            return super().retry(arguments, kwargs or {}, exc, throw, eta, pause, max_retries, **options)
        except Reject as refused:
            # Celery would drop the message of a retry that the broker did not take
            equipment.tally.remove(delivery.queue, delivery.task_id)
            self.give_back(refused)
        finally:
            # Celery keeps one retry's `max_retries` on the task, for every later message
            self.__dict__.pop("override_max_retries", None)

    def opened(self, argument: object) -> Batch:
        """The batch in a message. Raises `DeadLetter` if it is none, or not signed with our key."""
        return decode_batch(self.equipped[0].seal.open(argument))

    def signed(self, batch: Batch) -> str:
        """The argument of a message with this batch."""
        return self.equipped[0].seal.sign(encode_batch(batch))

    def send_on(self, batch: Batch, delivery: Delivery) -> None:
        """Send a batch as a message of its own in this one's stead: same queue, same priority, same attempt.

        Raises `Unavailable` if the broker does not take it.
        """
        options: dict[str, Any] = {
            "argsrepr": shown(batch),
            "kwargsrepr": "{}",
            "retries": delivery.retries,
        }
        if delivery.priority is not None:
            options["priority"] = delivery.priority
        try:
            self.apply_async(
                (self.signed(batch),),
                task_id=successor_id(delivery.task_id, batch),
                queue=delivery.queue,
                **options,
            )
        except OperationalError as error:
            raise Unavailable("celery broker", error) from error


def shown(batch: Batch) -> str:
    """What logs and Flower show in the place of a batch."""
    return f"{len(batch)} records, from {batch_name(batch)}"


def _failed(batch: Batch, now: Millis) -> Batch:
    if batch.first_failure is not None:
        return batch
    return msgspec.structs.replace(batch, first_failure=now)
