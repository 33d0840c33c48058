"""Sums of 64-bit numbers that cannot overflow: each number is added up in two halves of 32 bits.

`number == high * 2**32 + low`, with `0 <= low < 2**32`. Up to 2**31 numbers can be added half by half in 64
bits. A sum of halves is *normal* once the carry of the low half is in the high one: equal sums then have
equal halves, in whatever order and grouping they were added up.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

HALF_BITS = 32
HALF = 1 << HALF_BITS
LOW = HALF - 1
_MOST = (1 << 63) - 1
MOST_N, MOST_AMOUNT = (1 << 31) - 1, _MOST
"""What an increment has room for, either sign."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Halves(NamedTuple):
    """High and low halves of numbers, or of their sums."""

    high: Ints
    low: Ints

    @classmethod
    def of(cls, numbers: NDArray[np.integer[Any]]) -> "Halves":
        """Of numbers of 64 bits."""
        wide = numbers.astype(np.int64)
        return cls(wide >> HALF_BITS, wide & LOW)

    def normal(self) -> "Halves":
        """The same sums with the carry in the high half."""
        return Halves(self.high + (self.low >> HALF_BITS), self.low & LOW)

    def floats(self) -> Floats:
        """The nearest floats, as numpy's own conversion of an int64 gives them. The halves must be normal."""
        # both summands are exact, so that it is rounded once
        found: Floats = self.high.astype(np.float64) * HALF + self.low
        return found

    def numbers(self) -> list[int]:
        """Exact, of any size."""
        pairs = zip(self.high.tolist(), self.low.tolist(), strict=True)
        return [high * HALF + low for high, low in pairs]


def may_overflow(numbers: NDArray[np.integer[Any]]) -> bool:
    """Whether some of these numbers could add up to more than 64 bits hold."""
    if not len(numbers):
        return False
    largest = max(int(numbers.max()), -int(numbers.min()))
    return largest * len(numbers) > _MOST


def summed(places: NDArray[np.intp], numbers: NDArray[np.integer[Any]], size: int) -> Ints | list[int]:
    """The exact sum of the numbers at each of `size` places; a list if one of them may exceed 64 bits."""
    if not may_overflow(numbers):
        sums = np.zeros(size, np.int64)
        np.add.at(sums, places, numbers)
        return sums
    high, low = (np.zeros(size, np.int64) for _ in range(2))
    halves = Halves.of(numbers)
    np.add.at(high, places, halves.high)
    np.add.at(low, places, halves.low)
    return Halves(high, low).numbers()


def parts(n: int, amount: int) -> Iterator[tuple[int, int]]:
    """A count and a sum of any size, as increments of a size that a row has room for."""
    while abs(n) > MOST_N or abs(amount) > MOST_AMOUNT:
        part = max(-MOST_N, min(MOST_N, n)), max(-MOST_AMOUNT, min(MOST_AMOUNT, amount))
        yield part
        n, amount = n - part[0], amount - part[1]
    yield n, amount
