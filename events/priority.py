"""How urgent a lane is, in words that mean the same on every broker."""

from enum import StrEnum


class Priority(StrEnum):
    """The four classes of urgency, the most urgent first."""

    HIGH = "high"
    STANDARD = "standard"
    LOW = "low"
    BATCH = "batch"

    @property
    def rank(self) -> int:
        """0 for the most urgent, 3 for the least."""
        return _RANK[self]


_RANK = {priority: rank for rank, priority in enumerate(Priority)}
