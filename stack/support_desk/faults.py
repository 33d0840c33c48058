"""Fault injection of the desk: by a seed and the key of each call, so that a run can be repeated."""

from collections import Counter

import msgspec

from stack.chance import share


class DeskFaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shares of the calls, 0 to 1. `lost`: done, and answered with 503; `refused`: not done, and 503."""

    lost: float = 0.0
    refused: float = 0.0
    seed: int = 0


class Failing:
    """Draws again for each attempt under a key, so that a repeated call succeeds in the end."""

    def __init__(self) -> None:
        self.faults = DeskFaults()
        self._attempts: Counter[str] = Counter()

    def draw(self, key: str) -> str | None:
        """`lost`, `refused`, or None if this call works."""
        self._attempts[key] += 1
        drawn = share(self.faults.seed, key, self._attempts[key])
        if drawn < self.faults.lost:
            return "lost"
        return "refused" if drawn < self.faults.lost + self.faults.refused else None
