"""Cuts a record to what a dead-letter topic takes; of a value it keeps length and SHA-256. Pure.

Kafka's limits count compressed bytes: 275 KB on the wire can be 70 MB of blanks.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

Header = tuple[str, bytes | None]

MOST_BYTES = 3_900_000
"""Of value, key and headers together, uncompressed; a dead-letter topic takes 4,000,000 with what is said."""
KEPT_BYTES = 65_536
"""What is kept of a value that was cut: enough to see what it was."""
KEPT_KEY_BYTES = 1_024

# what a header's lengths take beside its name and value
_FRAMING = 8


class Whole(NamedTuple):
    """A record's parts as far as they are kept; `truncated` names those that are not whole.

    `length` and `sha256` (hexadecimal) are the value's as it came, given if it was cut.
    """

    value: bytes | None
    key: bytes | None
    headers: Sequence[Header]
    truncated: frozenset[str] = frozenset()
    length: int | None = None
    sha256: str | None = None


def cut(value: bytes | None, key: bytes | None, headers: Sequence[Header], most: int = MOST_BYTES) -> Whole:
    """The record whole if it has at most `most` bytes; else its large parts cut, the value first."""
    whole = Whole(value, key, headers)
    if size(value, key, headers) <= most:
        return whole
    kept = min(KEPT_BYTES, most // 2)
    if value is not None and len(value) > kept:
        digest = hashlib.sha256(value).hexdigest()
        whole = Whole(value[:kept] or None, key, headers, frozenset({"value"}), len(value), digest)
    if headers and size(whole.value, key, headers) > most:
        whole = whole._replace(headers=(), truncated=whole.truncated | {"headers"})
    if key and size(whole.value, key, ()) > most:
        shorter = key[: min(KEPT_KEY_BYTES, most)] or None
        whole = whole._replace(key=shorter, truncated=whole.truncated | {"key"})
    return whole


def size(value: bytes | None, key: bytes | None, headers: Sequence[Header]) -> int:
    """The bytes of a record, uncompressed and without its own framing."""
    in_headers = sum(len(name.encode()) + len(content or b"") + _FRAMING for name, content in headers)
    return len(value or b"") + len(key or b"") + in_headers
