"""How long a process that ended stays down before it is started again. Knows no process and no clock."""


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
        pause = min(self._first * 2.0**self._short_lives, self._longest)
        self._short_lives = min(self._short_lives + 1, 16)
        return pause
