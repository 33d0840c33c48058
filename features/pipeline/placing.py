"""Where in a partition does counting go on? As SQL says, unless Kafka holds another log by now."""

from typing import NamedTuple

from events.errors import SignalboxError


class ReplacedLogError(SignalboxError):
    """The partition is not the one that was counted: going on would count in the wrong place."""


class Beginning(NamedTuple):
    """Read from `offset` on; SQL stands at `position`. What lay between them Kafka has deleted unread."""

    position: int
    offset: int

    @property
    def lost(self) -> int:
        """How many offsets went by unread."""
        return self.offset - self.position


def beginning(partition: tuple[str, int], counted: int | None, low: int, high: int) -> Beginning:
    """`counted` is the next offset to count, None where none was; Kafka holds `low` up to before `high`.

    Raises `ReplacedLogError` where more was counted than the partition ever held.
    """
    if counted is None:
        return Beginning(low, low)
    if counted > high:
        topic, number = partition
        raise ReplacedLogError(
            f"{topic}[{number}] ends at {high}, and the offline store has counted it up to {counted}: it is "
            "another log. Point DATABASE_URL and REDIS_URL to empty stores, and rebuild them with "
            "`signalbox features backfill`"
        )
    return Beginning(counted, max(counted, low))
