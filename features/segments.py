"""A row of the online tier: what one entity's features are made of, as one string of bytes.

    row        0x03, then segments: one for each partition of the events' topic
    segment    bytes  0-1   partition, signed 16 bits; -1 is what was backfilled
                      2-9   position, unsigned 64: the offset up to which this partition's increments are in
                     10-13  the oldest tile that is not folded, unsigned 32; 0xFFFFFFFF where there is none
                     14-17  cap, unsigned 32: with more increments than this, the segment wants compacting
                     18-21  since, unsigned 32: the first tile for whose questions coarse increments are exact
                     22-25  length of the increments in bytes, unsigned 32
                     26-    increments
    increment  bytes  0-3   tile, unsigned 32: event time in units of the view's resolution
                      4     measure's index; 0x80 is added where it stands for all up to its tile (folded)
                      5-8   n, signed 32: how many it counts
                      9-16  amount, signed 64: what it sums, in units of 10**-decimals

An increment may stand for several of one measure: its tile is then the newest of theirs (`features.folding`).
A count or a sum that has no room in one increment is spread over several of the same tile.

All little-endian. The Lua scripts append to segments by these places, and know nothing of what they mean. A
row of another version counts as not there: it is read from SQL and put again.
"""

import struct
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.sums import parts

VERSION = b"\x03"
HEADER = struct.Struct("<hQIIII")
HEAD = np.dtype(
    [
        ("partition", "<i2"),
        ("position", "<u8"),
        ("oldest", "<u4"),
        ("cap", "<u4"),
        ("since", "<u4"),
        ("length", "<u4"),
    ]
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
    """What came from one partition up to `position` (the next offset); an array of `INCREMENT`.

    Questions about tiles before `since` are not answered exactly: increments were grouped that lie on both
    sides of an edge of theirs.
    """

    partition: int
    position: int
    increments: Packed
    since: int = 0


def packed(rows: Iterable[tuple[int, int, int, int]]) -> Packed:
    """An array of `INCREMENT` out of (tile, measure, n, amount), `n` and `amount` of any size."""
    listed = list(rows)
    try:
        return np.array(listed, INCREMENT)
    except OverflowError:
        fitting = [(tile, measure, *part) for tile, measure, n, amount in listed for part in parts(n, amount)]
        return np.array(fitting, INCREMENT)
