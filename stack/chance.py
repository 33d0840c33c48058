"""Seeded chance of a fault, by what it happens to, so that a run can be repeated. Pure."""

import hashlib


def share(*parts: object) -> float:
    """A number from 0 to 1, evenly spread, that is always the same for the same parts."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
