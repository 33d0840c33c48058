"""One bit for each offset above a watermark."""

from collections.abc import Iterator

_FULL = 0xFF
_TRIM_AT = 4_096


class Bitmap:
    """Offsets that are done. Everything below `watermark` is; above it, one bit tells."""

    def __init__(self, watermark: int) -> None:
        self.watermark = watermark
        self._base = watermark - watermark % 8
        self._bits = bytearray()
        for offset in range(self._base, watermark):
            self._mark(offset)

    @property
    def end(self) -> int:
        """The offset above the highest that a bit stands for."""
        return self._base + 8 * len(self._bits)

    def add(self, offset: int) -> bool:
        """Mark an offset as done; False where it was already."""
        if offset in self:
            return False
        self._mark(offset)
        if offset == self.watermark:
            self._advance()
        return True

    def __contains__(self, offset: int) -> bool:
        if offset < self.watermark:
            return True
        index = offset - self._base
        return index >> 3 < len(self._bits) and bool(self._bits[index >> 3] & (1 << (index & 7)))

    def open(self, below: int) -> Iterator[int]:
        """The offsets under `below` that are not done, from the lowest."""
        offset = self.watermark
        while offset < below:
            index = offset - self._base
            if index & 7 == 0 and index >> 3 < len(self._bits) and self._bits[index >> 3] == _FULL:
                offset += 8
                continue
            if offset not in self:
                yield offset
            offset += 1

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
