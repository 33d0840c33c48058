"""How does the online tier keep what an entity's features are made of? One string of bytes for each row.

    row        0x01, then segments: one for each partition of the events' topic
    segment    bytes  0-1   partition, signed 16 bits; -1 is what was backfilled
                      2-9   position, unsigned 64: the offset up to which this partition's increments are in
                     10-13  the oldest tile that is not folded, unsigned 32; 0xFFFFFFFF where there is none
                     14-17  cap, unsigned 32: with more increments than this, the segment wants compacting
                     18-21  length of the increments in bytes, unsigned 32
                     22-    increments
    increment  bytes  0-3   tile, unsigned 32: event time in units of the view's resolution
                      4     measure's index; 0x80 is added where it stands for all up to its tile (folded)
                      5-8   n, signed 32: how many it counts
                      9-16  amount, signed 64: what it sums, in units of 10**-decimals

All little-endian. The Lua scripts append to segments by these places, and know nothing of what they mean.
"""

import struct
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

VERSION = b"\x01"
HEADER = struct.Struct("<hQIII")
HEAD = np.dtype(
    [("partition", "<i2"), ("position", "<u8"), ("oldest", "<u4"), ("cap", "<u4"), ("length", "<u4")]
)
"""A header's bytes, as a column of an array."""
ONE = struct.Struct("<IBiq")
INCREMENT = np.dtype([("tile", "<u4"), ("measure", "u1"), ("n", "<i4"), ("amount", "<i8")])
FOLDED = 0x80
NO_TILE = 0xFFFFFFFF
SMALLEST_CAP = 256

# a structured array has no type that names its columns
Packed = NDArray[np.void]
Ints = NDArray[np.int64]


class Segment(NamedTuple):
    """What came from one partition up to `position` (the next offset); an array of `INCREMENT`."""

    partition: int
    position: int
    increments: Packed


def packed(rows: Iterable[tuple[int, int, int, int]]) -> Packed:
    """An array of `INCREMENT` out of (tile, measure, n, amount)."""
    return np.array(list(rows), INCREMENT)
