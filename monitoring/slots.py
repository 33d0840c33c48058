"""Fixed-size records by Kafka offset: some tens of bytes each, where Python's objects take hundreds."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

CHUNK = 256
"""Slots that are made together: an offset far from all others takes so many."""


class Slots:
    """One partition's records, each of `layout` (a `struct` without padding), zero if never written."""

    def __init__(self, layout: struct.Struct) -> None:
        self._layout = layout
        self._chunks: dict[int, bytearray] = {}

    def get(self, offset: int) -> tuple[Any, ...]:
        """The record at an offset."""
        chunk = self._chunks.get(offset // CHUNK)
        at = offset % CHUNK * self._layout.size
        return self._layout.unpack_from(chunk, at) if chunk else self._layout.unpack(bytes(self._layout.size))

    def put(self, offset: int, *record: Any) -> None:
        """Write the record at an offset."""
        chunk = self._chunks.get(offset // CHUNK)
        if chunk is None:
            chunk = self._chunks[offset // CHUNK] = bytearray(CHUNK * self._layout.size)
        self._layout.pack_into(chunk, offset % CHUNK * self._layout.size, *record)

    def whole(self, dtype: np.dtype[Any]) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """All offsets, ascending, and their records. `dtype` is packed, of the layout's size."""
        numbers = sorted(self._chunks)
        records = np.frombuffer(b"".join(self._chunks[number] for number in numbers), dtype)
        offsets = (np.array(numbers, np.int64)[:, None] * CHUNK + np.arange(CHUNK)).ravel()
        return offsets, records
