"""What the router decided for one event and one workflow, and what that decision rests on."""

from typing import Literal

import msgspec

from events.priority import Priority

Millis = int
EARLIEST: Millis = 946_684_800_000
"""The year 2000: a time before it is no time in epoch milliseconds."""
Arm = Literal["champion", "challenger", "shadow"]


class Position(msgspec.Struct, frozen=True, gc=False):
    """The position of a record in Kafka."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]@{self.offset}"


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Which workflow an event wakes, where it waits, by when, and why.

    `deadline` (epoch ms) is the time at which the source record entered Kafka plus `sla_ms`.
    `propensity` is the probability with which `arm` was chosen; `bucket` the event's place in the split
    (0 to 9,999), absent if nothing was split. `max_retries`, `backoff_ms` (the pause before the first
    retry) and `explain` are the route's.
    """

    prediction_id: str
    workflow: str
    queue: str
    priority: Priority
    rule: str
    table_hash: str
    sla_ms: int
    deadline: Millis
    source: Position
    arm: Arm = "champion"
    bucket: int | None = None
    propensity: float = 1.0
    max_retries: int = 3
    backoff_ms: int = 1_000
    explain: bool = False

    @property
    def lane(self) -> str:
        """The Kafka topic in which the event waits for its queue."""
        return lane_topic(self.queue, self.priority)


def lane_topic(queue: str, priority: Priority) -> str:
    """`ml.fraud.input` and `high` wait in the topic `ml.fraud.input.high`."""
    return f"{queue}.{priority.value}"


def overflow_topic(lane: str) -> str:
    """Where the records of `lane` wait that Kafka did not take there."""
    return f"{lane}.overflow"


def dead_letter_topic(queue: str) -> str:
    """Where the events of `queue` end that can never succeed."""
    return f"{queue}.dlq"
