"""Exponential backoff and its jitter: the pause after a number of failures. Pure."""

from typing import TypeVar

DOUBLINGS = 20
"""After so many, a pause no longer doubles: the number of failures of a long outage has no bound."""

Duration = TypeVar("Duration", int, float)


def exponential(failures: int, first: Duration, longest: Duration) -> Duration:
    """`first`, doubled once for each of `failures` (0: the first pause), up to `longest`; in their unit."""
    return min(first * (1 << min(max(failures, 0), DOUBLINGS)), longest)


def half_jittered(pause: float, share: float) -> float:
    """Half of the pause, and of the other half the random `share` (0 to 1), which spreads the clients.

    Full jitter could return 0, and the retry would meet the same hiccup.
    """
    return pause / 2 + share * pause / 2
