"""Watermarks of the online tier: up to where events are counted, and as of when.

They are one Redis string, so that they come with the rows in one command, all of one moment. A line for
each partition, `0 1234 1240 1763740000000 1763739999000`: next offset, floor, as of, clock. The floor is over
the offset while a batch is being added: no row that knows less is let in any more. And a line for each batch
view, `product_catalogue 1763740000000`: as of.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from events.decision import Millis

_PARTITION_WORDS = 5
_VIEW_WORDS = 2
_MOST_PARTITION, _MOST = (1 << 15) - 1, (1 << 63) - 1
"""What a row has room for, and an array."""


class Heartbeat(NamedTuple):
    """How far one partition is counted.

    `position` is its next offset; all that Kafka took in up to `as_of` (epoch ms) is counted; `clock` is the
    newest time of an event among it (epoch ms).
    """

    position: int
    as_of: Millis
    clock: Millis


@dataclass(frozen=True, slots=True)
class Heartbeats:
    """Those of all partitions, and when each batch view was last materialised (epoch ms).

    `floors` has the offsets below which a row would lack what others have.
    """

    partitions: Mapping[int, Heartbeat]
    floors: Mapping[int, int]
    views: Mapping[str, Millis]

    def position(self, partition: int) -> int | None:
        """The partition's next offset; None if nothing says it, as after Redis was emptied."""
        beat = self.partitions.get(partition)
        return None if beat is None else beat.position

    @property
    def offsets(self) -> dict[int, int]:
        """By partition the offset before which everything is counted."""
        return {partition: beat.position for partition, beat in self.partitions.items()}


def as_of(partitions: Mapping[int, Heartbeat]) -> Millis | None:
    """Up to when all partitions are counted; None if none is. What was backfilled has no such time."""
    return min((beat.as_of for partition, beat in partitions.items() if partition >= 0), default=None)


@lru_cache(maxsize=16)
def parse_heartbeats(value: bytes | None) -> Heartbeats:
    """What the scripts wrote. A line that is none of theirs is as good as absent."""
    partitions: dict[int, Heartbeat] = {}
    floors: dict[int, int] = {}
    views: dict[str, Millis] = {}
    for line in (value or b"").decode(errors="replace").splitlines():
        words = line.split(" ")
        try:
            if len(words) == _PARTITION_WORDS:
                partition, position, floor, as_of, clock = map(int, words)
                if not (-1 <= partition <= _MOST_PARTITION and 0 <= position < _MOST):
                    continue
                partitions[partition] = Heartbeat(position, as_of, clock)
                floors[partition] = floor
            elif len(words) == _VIEW_WORDS:
                views[words[0]] = int(words[1])
        except ValueError:
            continue
    return Heartbeats(partitions, floors, views)
