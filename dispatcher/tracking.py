"""Which offsets may be committed: those below which everything has been acknowledged. Knows no Kafka."""

from collections import deque
from collections.abc import Iterable, Mapping
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
        self._ready: dict[Partition, int] = {}
        self._handed_out: dict[Partition, int] = {}

    def __len__(self) -> int:
        """How many flights are not done, or come after one that is not. Commits are too rare to count by."""
        self._land()
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
        """The next offset to read of each partition that moved on; each is handed out once."""
        self._land()
        positions, self._ready = self._ready, {}
        self._handed_out |= positions
        return positions

    def restore(self, positions: Mapping[Partition, int]) -> None:
        """Their commit failed: hand them out again, but for what a later commit or another owner overtook.

        Without it a quiet lane would stay uncommitted for as long as nothing new arrives in it.
        """
        for partition, position in positions.items():
            if self._handed_out.get(partition) == position:
                self._ready.setdefault(partition, position)

    def forget(self, partitions: Iterable[Partition]) -> None:
        """These partitions are another's now: commit nothing of them that was read before."""
        for partition in partitions:
            self._ready.pop(partition, None)
            self._handed_out.pop(partition, None)
            for flight in self._flights:
                flight.positions.pop(partition, None)

    def _land(self) -> None:
        while self._flights and self._flights[0].outstanding <= 0:
            self._ready |= self._flights.popleft().positions
