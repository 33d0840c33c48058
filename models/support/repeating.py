"""Retries of an HTTP call: the backoff between attempts, `Retry-After`, and when to give up. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

from core.backoff import exponential, half_jittered
from events.decision import Millis

TOO_MANY = 429
SERVER_ERROR = 500
TRANSIENT = frozenset({408, 425, TOO_MANY})
"""What an answer below 500 says of the moment, and not of the call (RFC 9110, RFC 8470, RFC 6585)."""


@dataclass(frozen=True, slots=True)
class Patience:
    """At most so many attempts, within so many seconds, with pauses that double from `first_s` on.

    No further attempt is made that would have less than `least_s`.
    """

    attempts: int = 5
    first_s: float = 0.2
    longest_s: float = 2.0
    total_s: float = 8.0
    least_s: float = 1.0

    def capped(self, left: Millis, least_s: float) -> "Patience":
        """The same, over by the time that `left` ms are, and not before `least_s`."""
        return replace(self, total_s=min(self.total_s, max(least_s, left / 1_000)))

    def pause_s(self, attempt: int, spent_s: float, asked_s: float | None, jitter: float) -> float | None:
        """Seconds until the next one, `attempt` (from 1) having failed; None gives up.

        `asked_s` is what the server asks to wait for; if that is longer than what is left of `total_s` after
        `spent_s`, the call is given up. `jitter`, 0 to 1, spreads those who failed together.
        """
        pause = half_jittered(exponential(attempt - 1, self.first_s, self.longest_s), jitter)
        if asked_s is not None:
            pause = max(pause, asked_s)
        over = spent_s + pause + self.least_s > self.total_s
        return None if attempt >= self.attempts or over else pause


def asks_again(status: int) -> bool:
    """Whether the same call may get another answer than this one later."""
    return status in TRANSIENT or status >= SERVER_ERROR


def retry_after_s(headers: Mapping[str, str], now: Millis) -> float | None:
    """What `Retry-After` says, in seconds from `now`: a number or a date (RFC 9110, 10.2.3); else None."""
    value = headers.get("Retry-After", headers.get("retry-after", "")).strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0.0, at - now / 1_000)
