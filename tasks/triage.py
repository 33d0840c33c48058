"""What becomes of a batch whose worker was lost before. Knows no Celery."""

from dataclasses import dataclass

import msgspec

from events.errors import Cause
from events.lane import Batch

PARTS = 32
MAX_LOSSES = 3


@dataclass(frozen=True, slots=True)
class Proceed:
    """Do the work."""


@dataclass(frozen=True, slots=True)
class Resubmit:
    """Send these in the batch's stead, and acknowledge it: each is a message of its own."""

    parts: tuple[Batch, ...]


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The one event of this batch stood alone each time that its worker was lost."""

    cause: Cause


def triage(batch: Batch, redelivered: bool, most: int = MAX_LOSSES) -> Proceed | Resubmit | GiveUp:
    """Decide before the work begins, seen whether the broker hands this message out again.

    A redelivered batch may hold the event that kills workers: it is cut into up to `PARTS` parts, so that of
    1,024 events the poisonous one stands alone after two losses. Alone, it may take a worker with it `most`
    times.
    """
    if not redelivered:
        return Proceed()
    return after_loss(batch, "worker_lost", most)


def after_loss(batch: Batch, cause: Cause, most: int = MAX_LOSSES) -> Resubmit | GiveUp:
    """Decide after the work of this batch was cut short, by a lost worker or a time limit."""
    if len(batch) == 1:
        if batch.losses + 1 >= most:
            return GiveUp(cause)
        return Resubmit((msgspec.structs.replace(batch, losses=batch.losses + 1),))
    size = max(1, -(-len(batch) // PARTS))
    return Resubmit(
        tuple(
            msgspec.structs.replace(batch, records=batch.records[start : start + size], losses=0)
            for start in range(0, len(batch), size)
        )
    )
