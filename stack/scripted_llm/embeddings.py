"""Text vectors without a model: words hashed into a few hundred dimensions. Pure.

Feature hashing after Weinberger et al., *Feature Hashing for Large Scale Multitask Learning* (2009).
"""

import hashlib
import math
import re
from typing import Final

DIMENSIONS: Final = 256
_WORD = re.compile(r"\w+")
_STEM = 4
"""Of a word its first letters count: `refunds` and `refunded` are one."""


def vector(text: str) -> list[float]:
    """Of length 1; zeros for a text without words."""
    places = [0.0] * DIMENSIONS
    for word in _WORD.findall(text.lower()):
        digest = hashlib.sha256(word[:_STEM].encode()).digest()
        places[int.from_bytes(digest[:4], "big") % DIMENSIONS] += 1 if digest[4] % 2 else -1
    length = math.sqrt(sum(value * value for value in places))
    return [value / length for value in places] if length else places
