"""The starting offset of a partition: as SQL has it, unless Kafka holds another log by now."""

from typing import NamedTuple

from events.errors import SignalboxError


class ReplacedLogError(SignalboxError):
    """The partition is not the one that was counted, or lost its tail: its next records have other offsets.

    `short` is how many of the records that were counted it does not have.
    """

    def __init__(self, text: str, short: int) -> None:
        super().__init__(text)
        self.short = short


class Beginning(NamedTuple):
    """Read from `offset` on; SQL stands at `position`. What lay between them Kafka has deleted unread."""

    position: int
    offset: int

    @property
    def lost(self) -> int:
        """How many offsets went by unread."""
        return self.offset - self.position


def beginning(partition: tuple[str, int], counted: int | None, low: int, high: int) -> Beginning:
    """`counted` is the next offset to count, None if none was; Kafka holds `low` up to before `high`.

    Raises `ReplacedLogError` if more was counted than the partition ever held.
    """
    if counted is None:
        return Beginning(low, low)
    if counted > high:
        topic, number = partition
        raise ReplacedLogError(
            f"{topic}[{number}] ends at {high}, and the offline store has counted it up to {counted}: it "
            "lost its tail, or is another log. It is counted on once it ends beyond that; "
            "`signalbox features backfill --from-kafka` counts what it holds below",
            counted - high,
        )
    return Beginning(counted, max(counted, low))
