"""Restart backoff: how long a process that ended stays down. Knows no process and no clock."""

from core.backoff import exponential


class Restarts:
    """The pauses of one process, in seconds.

    Each end after a short life doubles the pause, from `first` up to `longest`; a life of `settled` or more
    is a fresh start.
    """

    def __init__(self, first: float = 0.5, longest: float = 30, settled: float = 60) -> None:
        self._first = first
        self._longest = longest
        self._settled = settled
        self._short_lives = 0

    def pause_after(self, lived: float) -> float:
        """The process ended after `lived` seconds: how long to wait."""
        if lived >= self._settled:
            self._short_lives = 0
        pause = exponential(self._short_lives, self._first, self._longest)
        self._short_lives += 1
        return pause
