"""Where a consumer group goes on if Kafka does not hold its position. Pure.

Retention and `delete_records` move a log's beginning past a position; a log that lost its tail, or that was
made again under its name, ends before it; positions expire, and go with their topic.
"""

from typing import NamedTuple


class Begin(NamedTuple):
    """Read from `offset` on. `lost` offsets were never read; `said` if an operator should know of it."""

    offset: int
    why: str
    lost: int = 0
    said: bool = True


def begin_again(at: int, committed: int, floor: int | None, low: int, high: int) -> Begin:
    """`at` is the position that Kafka refused, `committed` the group's; negative if there is none.

    Kafka holds `low` up to before `high`. `floor` is up to where a partition without a position is done.
    """
    if at < 0:
        return _without_a_position(floor, low, high)
    if at < low:
        return Begin(low, f"{low - at} records expired unread, from {at} on", low - at)
    if at <= high:
        return Begin(at, "its position is there after all", said=False)
    if committed < 0:
        return Begin(low, f"{at} is of a deleted topic of this name: all of this one is new")
    return Begin(high, f"the log lost its tail: it was read up to {at}, and {at - high} records are gone")


def _without_a_position(floor: int | None, low: int, high: int) -> Begin:
    if floor is None:
        why = "the group has no position: it begins with the first record"
        return Begin(low, why, said=high > low)
    place = min(max(floor, low), high)
    why = f"the group's position expired, and all below {floor} is answered"
    return Begin(place, why, max(0, low - floor))
