"""Epoch milliseconds as text and as a calendar day, in UTC."""

from datetime import UTC, date, datetime


def readable(at: int, precision: str = "milliseconds") -> str:
    """`2026-11-21 13:00:00.000+00:00`; the number itself if no calendar has it, for a record may hold any."""
    try:
        return utc(at).isoformat(sep=" ", timespec=precision)
    except (OverflowError, ValueError, OSError):
        return f"{at} ms"


def iso_milliseconds(at: int) -> str:
    """`2026-11-21T13:00:00.000+00:00`, ISO 8601. Raises as `utc`."""
    return utc(at).isoformat(timespec="milliseconds")


def iso_seconds(at: int) -> str:
    """`2026-11-21T13:00:00Z`, RFC 3339. Raises as `utc`."""
    return f"{utc(at):%Y-%m-%dT%H:%M:%SZ}"


def utc_day(at: int) -> date:
    """The day in UTC. Raises as `utc`."""
    return utc(at).date()


def utc(at: int) -> datetime:
    """The instant. Raises `OverflowError`, `ValueError` or `OSError` for a year that no calendar has."""
    return datetime.fromtimestamp(at / 1_000, UTC)
