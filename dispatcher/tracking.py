"""Which offsets may be committed: those below which Kafka or the broker has acknowledged everything. Knows no Kafka."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

Partition = tuple[str, int]
"""A topic and the number of its partition."""


@dataclass(slots=True)
class Flight:
    """Records that were read together, and how many of the writes they led to are not acknowledged yet."""

    positions: dict[Partition, int]
    outstanding: int

    def acknowledge(self) -> None:
        """One write is safe."""
        self.outstanding -= 1


class Tracker:
    """Flights in the order in which they were read. A flight counts once it and all before it are done."""

    def __init__(self) -> None:
        self._flights: deque[Flight] = deque()

    def __len__(self) -> int:
        return len(self._flights)

    def begin(self, read: Iterable[tuple[Partition, int]], writes: int) -> Flight:
        """Remember offsets that were read; `writes` acknowledgements make them safe."""
        positions: dict[Partition, int] = {}
        for partition, offset in read:
            positions[partition] = max(offset + 1, positions.get(partition, 0))
        flight = Flight(positions, writes)
        self._flights.append(flight)
        return flight

    def take_committable(self) -> dict[Partition, int]:
        """The next offset to read of each partition that moved on since the last call; each is handed out once."""
        positions: dict[Partition, int] = {}
        while self._flights and self._flights[0].outstanding <= 0:
            positions |= self._flights.popleft().positions
        return positions

    def forget(self, partitions: Iterable[Partition]) -> None:
        """These partitions are another's now: commit nothing of them that was read before."""
        for partition in partitions:
            for flight in self._flights:
                flight.positions.pop(partition, None)
