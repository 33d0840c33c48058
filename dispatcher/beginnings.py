"""Where reconciling begins in a lane's partition, if its position expired or its outcomes did. Pure."""

from typing import NamedTuple


class Beginning(NamedTuple):
    """Outcomes are asked for from `offset` on. Of `undecided` fed records below it nothing can be known."""

    offset: int
    undecided: int = 0


def beginning(committed: int | None, fed: int | None, low: int, decidable: int | None) -> Beginning:
    """Begin at `committed`, or at the first record `low` if nothing is committed any more.

    `fed` is the feeder's position. Kafka holds all outcomes of the records from `decidable` on; None if it
    holds all that there ever were. A fed record below that may be answered: it is not fed again.
    """
    place = low if committed is None else committed
    if decidable is None or fed is None:
        return Beginning(place)
    begin = max(place, min(decidable, fed))
    return Beginning(begin, begin - max(place, low) if begin > max(place, low) else 0)


def begin_anew(committed: int | None, low: int, high: int) -> int:
    """Where to begin in a log that ends below what was fed of it.

    A topic that was deleted took the committed position with it, and all of its successor is new. One that
    lost its tail did not: what is left of it was decided on before.
    """
    return low if committed is None else high
