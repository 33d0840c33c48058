"""Positions of the partitions that this pipeline member counts. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from events.decision import Millis
from transport.group import Partition


@dataclass(slots=True)
class Stand:
    """`position` is the offset of the next record to count; all that arrived up to `as_of` (epoch ms) is.

    `clock` is the newest event time (epoch ms) that was seen, `end` where Kafka last said that it ends.
    """

    position: int
    as_of: Millis = 0
    clock: Millis = 0
    end: int = 0


class Standing:
    """The partitions of one member. One that just came, or was fenced, has no place until SQL names it."""

    def __init__(self) -> None:
        self._stands: dict[Partition, Stand] = {}
        self._unplaced: set[Partition] = set()
        self._ready: dict[Partition, int] = {}

    @property
    def unplaced(self) -> frozenset[Partition]:
        """Those that are this member's, and whose place must be asked for."""
        return frozenset(self._unplaced)

    @property
    def placed(self) -> Mapping[Partition, Stand]:
        """Those that are counted."""
        return self._stands

    def arrive(self, partitions: Iterable[Partition]) -> None:
        """These are this member's now."""
        self.displace(partitions)

    def place(self, partition: Partition, position: int) -> None:
        """SQL has counted a partition up to `position`."""
        self._unplaced.discard(partition)
        self._stands[partition] = Stand(position)

    def displace(self, partitions: Iterable[Partition]) -> None:
        """What was read of these is dropped; their place must be asked for again."""
        for partition in partitions:
            self._stands.pop(partition, None)
            self._unplaced.add(partition)

    def advance(self, partition: Partition, position: int, as_of: Millis, clock: Millis) -> None:
        """SQL holds what came of all records before `position`. Times never go back."""
        stand = self._stands[partition]
        stand.position = position
        stand.as_of = max(stand.as_of, as_of)
        stand.clock = max(stand.clock, clock)
        self._ready[partition] = position

    def take_committable(self) -> dict[Partition, int]:
        """See `transport.group.Progress`."""
        ready, self._ready = self._ready, {}
        return ready

    def restore(self, positions: Mapping[Partition, int]) -> None:
        """See `transport.group.Progress`. Only tools that show lags read them: the next commit will do."""
        for partition in positions.keys() & self._stands.keys():
            self._ready.setdefault(partition, self._stands[partition].position)

    def forget(self, partitions: Iterable[Partition]) -> None:
        """See `transport.group.Progress`."""
        for partition in partitions:
            self._stands.pop(partition, None)
            self._unplaced.discard(partition)
            self._ready.pop(partition, None)
