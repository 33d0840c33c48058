"""A circuit breaker for each topic that the router writes to. Knows no Kafka and no clock."""

from dataclasses import dataclass

PROBE_EVERY_S = 2.0
"""While a topic is refused, one record in so many seconds tries it again."""
BUDGET = 2_048
"""From so many records without an acknowledgement on, a topic that makes no progress counts as refused."""
PATIENCE_S = 2.0


@dataclass(slots=True)
class _Topic:
    outstanding: int = 0
    progress_at: float = 0.0
    reason: str | None = None
    probe_at: float = 0.0


class Breakers:
    """Which topics take no records now. Times are seconds of a monotonic clock.

    A breaker opens when a record was refused, and closes when one was acknowledged. It is not
    `core.circuit_breaker`: records are in flight for a while, so it stays open between probes.
    """

    def __init__(self) -> None:
        self._topics: dict[str, _Topic] = {}

    def reason(self, topic: str) -> str | None:
        """Why a topic is refused; None if it is not."""
        return self._of(topic).reason

    def on_written(self, topic: str, now: float) -> None:
        """One more record is on its way to a topic."""
        state = self._of(topic)
        if not state.outstanding:
            state.progress_at = now
        state.outstanding += 1

    def on_acknowledged(self, topic: str, now: float) -> bool:
        """A topic took a record. Returns whether its refusal ended with it."""
        state = self._of(topic)
        state.outstanding -= 1
        state.progress_at = now
        ended, state.reason = state.reason is not None, None
        return ended

    def on_failed(self, topic: str) -> None:
        """A record is no longer on its way, and that says nothing about its topic."""
        self._of(topic).outstanding -= 1

    def on_refused(self, topic: str, reason: str, now: float) -> bool:
        """A topic did not take a record. Returns whether its refusal began with it."""
        state = self._of(topic)
        began = state.reason is None
        state.reason = reason
        if began:
            state.probe_at = now + PROBE_EVERY_S
        return began

    def stuck(self, topic: str, now: float) -> bool:
        """Whether a topic has used up its budget in flight and makes no progress."""
        state = self._of(topic)
        return state.outstanding >= BUDGET and now >= state.progress_at + PATIENCE_S

    def admits(self, topic: str, now: float) -> bool:
        """Whether the next record may go to a topic: always, or as the one that tries a refused topic."""
        state = self._of(topic)
        if state.reason is None:
            return True
        if now < state.probe_at:
            return False
        state.probe_at = now + PROBE_EVERY_S
        return True

    def _of(self, topic: str) -> _Topic:
        return self._topics.setdefault(topic, _Topic())
