"""The time, handed in wherever it decides something."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], int]
"""Answers with the epoch in milliseconds."""


def system_clock() -> int:
    """The machine's time, epoch milliseconds."""
    return time.time_ns() // 1_000_000


def text_of(at: int, precision: str = "milliseconds") -> str:
    """A time (epoch ms) in UTC; the number itself if no calendar has it, for a record may hold any."""
    try:
        return datetime.fromtimestamp(at / 1_000, UTC).isoformat(sep=" ", timespec=precision)
    except (OverflowError, ValueError, OSError):
        return f"{at} ms"
