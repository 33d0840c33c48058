"""A bitmap of completed offsets: one bit for each offset above the completeness watermark."""

import re
from collections.abc import Iterator

_NOT_FULL = re.compile(rb"[^\xff]")
_TRIM_AT = 4_096


class Bitmap:
    """Offsets that are done. Everything below `watermark` is; above it, one bit tells."""

    def __init__(self, watermark: int) -> None:
        self._begin_at(watermark)

    @property
    def end(self) -> int:
        """The offset above the highest that has a bit."""
        return self._base + 8 * len(self._bits)

    def add(self, offset: int) -> bool:
        """Mark an offset as done; False if it was already."""
        if offset in self:
            return False
        self._mark(offset)
        if offset == self.watermark:
            self._advance()
        return True

    def fill(self, below: int) -> None:
        """Mark every offset under `below` as done."""
        if below >= self.end:
            self._begin_at(max(below, self.watermark))
            return
        for offset in list(self.open(below)):
            self._mark(offset)
        self._advance()

    def __contains__(self, offset: int) -> bool:
        if offset < self.watermark:
            return True
        index = offset - self._base
        return index >> 3 < len(self._bits) and bool(self._bits[index >> 3] & (1 << (index & 7)))

    def open(self, below: int, start: int = 0) -> Iterator[int]:
        """The offsets from `start` to under `below` that are not done, from the lowest.

        Nothing may be marked while it is read.
        """
        offset = max(start, self.watermark)
        while offset < below:
            index = offset - self._base
            if index & 7 == 0 and index >> 3 < len(self._bits):
                # a lost record holds the watermark while millions above it are done: step over them at once
                found = _NOT_FULL.search(self._bits, index >> 3)
                offset = self._base + 8 * found.start() if found else self.end
                if offset >= below:
                    return
            if offset not in self:
                yield offset
            offset += 1

    def count_open(self, below: int) -> int:
        """How many offsets under `below` are not done."""
        if below <= self.watermark:
            return 0
        width = min(below, self.end) - self._base
        done = int.from_bytes(self._bits[: (width + 7) >> 3], "little") & ((1 << width) - 1)
        return below - self._base - done.bit_count()

    def _begin_at(self, watermark: int) -> None:
        self.watermark = watermark
        self._base = watermark - watermark % 8
        self._bits = bytearray()
        for offset in range(self._base, watermark):
            self._mark(offset)

    def _mark(self, offset: int) -> None:
        index = offset - self._base
        if index >> 3 >= len(self._bits):
            self._bits.extend(bytes((index >> 3) - len(self._bits) + 1))
        self._bits[index >> 3] |= 1 << (index & 7)

    def _advance(self) -> None:
        self.watermark = next(self.open(self.end), self.end)
        done = (self.watermark - self._base) >> 3
        if done >= _TRIM_AT:
            del self._bits[:done]
            self._base += 8 * done
