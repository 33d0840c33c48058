"""The time, handed in wherever it decides something."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Answers with the epoch in milliseconds."""


def system_clock() -> int:
    """The machine's time, epoch milliseconds."""
    return time.time_ns() // 1_000_000
