"""What the feature pipeline hands to the offline tier in one batch, and what it gets back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from events.decision import Millis
from events.errors import SignalboxError
from features.extraction import Increment
from features.outcomes import Outcome
from features.stating import Statement

BACKFILL = -1
"""The partition of what was backfilled. Its offsets are a running number."""
BACKFILL_TOPIC = "backfill"


class StreamEvent(NamedTuple):
    """One event, what it adds and what it states.

    `digest` is 16 bytes of a hash of its id; `event_time` is epoch ms.
    `outcome` is the order or the fraud label that it says, if it says one.
    """

    digest: bytes
    event_time: Millis
    offset: int
    event_id: str
    increments: tuple[Increment, ...]
    statements: tuple[Statement, ...] = ()
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class StreamBatch:
    """The events of one partition from offset `base` up to before `position`, without those that add nothing.

    With it counted, all is that arrived in Kafka up to `as_of`; `clock` is the newest event time (epoch ms).
    """

    topic: str
    partition: int
    base: int
    position: int
    as_of: Millis
    clock: Millis
    events: Sequence[StreamEvent]


class Committed(NamedTuple):
    """Those events of a batch that were counted for the first time."""

    fresh: list[StreamEvent]


class Fenced(SignalboxError):  # noqa: N818  # as in events/errors.py: named by the reaction
    """Another member has counted this partition beyond where the batch begins: it is no longer ours."""

    def __init__(self, partition: int, base: int, found: int | None) -> None:
        super().__init__(
            f"partition {partition} is not counted up to {base} but to {found}: another member counts it"
        )
