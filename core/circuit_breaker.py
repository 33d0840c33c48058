"""A circuit breaker: after a failure a dependency is left alone for a while, then the next call tries it.

Pure: it is handed the time. Not thread-safe, unless a lost update is harmless, as one more failed call is.
"""

from typing import Generic

from core.backoff import Duration, exponential


class CircuitBreaker(Generic[Duration]):
    """Open for `pause` after each failure; with `longest`, each failure in a row doubles the pause up to it.

    Times are of one clock, in its unit.
    """

    def __init__(self, pause: Duration, longest: Duration | None = None) -> None:
        self._pause: Duration = pause
        self._longest: Duration = pause if longest is None else longest
        self._open_until: Duration | None = None
        self.failures = 0
        """In a row, since the last success."""

    def open_until(self, now: Duration) -> Duration | None:
        """When the dependency may be called again; None if it may be now."""
        return self._open_until if self._open_until is not None and now < self._open_until else None

    def is_open(self, now: Duration) -> bool:
        """Whether the dependency is left alone."""
        return self.open_until(now) is not None

    def on_failure(self, now: Duration) -> Duration:
        """A call failed. Returns when the next one may be made."""
        self._open_until = now + exponential(self.failures, self._pause, self._longest)
        self.failures += 1
        return self._open_until

    def on_success(self) -> None:
        """A call succeeded: the breaker closes."""
        self.failures, self._open_until = 0, None
