"""Which increments does the online tier have of a batch of rows? From bytes that anybody may have written."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.increments import Increments, Position, columns_of
from features.segments import FOLDED, HEADER, INCREMENT, VERSION, Packed, Segment

_HEADER, _SIZE = HEADER.size, INCREMENT.itemsize
_ALONE = len(VERSION) + _HEADER
"""Where the increments of the first segment begin."""
_HEAD = np.dtype(
    [
        ("version", "u1"),
        ("partition", "<i2"),
        ("position", "<u8"),
        ("oldest", "<u4"),
        ("cap", "<u4"),
        ("length", "<u4"),
    ]
)
"""What comes before them."""
_NO_HEAD = bytes(_ALONE)
_header = HEADER.unpack_from


def decode_rows(values: Sequence[bytes | None], measures: int = FOLDED) -> Increments:
    """The increments of all rows. `measures` is how many the view has: a row with another one is broken."""
    rows = [value or b"" for value in values]
    # to copy a row of 1 kB takes half the time that a view of it does
    bodies = [row[_ALONE:] for row in rows]
    head = _heads(rows)
    sizes = np.fromiter(map(len, bodies), np.intp, len(bodies))
    positions: list[Position] = list(
        zip(range(len(rows)), head["partition"].tolist(), head["position"].tolist(), strict=True)
    )
    broken: list[int] = []
    # most rows have one segment, and those are looked through all at once
    alone = (head["version"] == VERSION[0]) & (head["length"] == sizes) & (sizes % _SIZE == 0)
    if not alone.all():
        positions = [positions[place] for place in np.flatnonzero(alone)]
        for place in np.flatnonzero(~alone).tolist():
            parts, at = _parts(rows[place]) or ([], None)
            bodies[place] = b"".join(parts)
            sizes[place] = len(bodies[place])
            if at is not None:
                positions += ((place, *item) for item in at.items())
            elif values[place] is not None:
                broken.append(place)
    found = columns_of(np.frombuffer(b"".join(bodies), INCREMENT), sizes // _SIZE, positions, broken)
    # one look for the largest costs half of a comparison: mostly there is nothing to find
    if found.measure.max(initial=0) < measures:
        return found
    return _without(found, found.measure >= measures)


def _heads(rows: Sequence[bytes]) -> Packed:
    """What stands before the increments of the first segment; zeros where that is not all there."""
    heads = [row[:_ALONE] for row in rows]
    joined = b"".join(heads)
    if len(joined) < _ALONE * len(rows):
        joined = b"".join([head if len(head) == _ALONE else _NO_HEAD for head in heads])
    return np.frombuffer(joined, _HEAD)


def segments_of(row: bytes) -> tuple[Segment, ...]:
    """What `encode_row` was given. Raises `ValueError` where the bytes are no row."""
    parts = _parts(row)
    if parts is None:
        raise ValueError(f"{len(row)} bytes that are no row of increments: {row[:16]!r}")
    bodies, positions = parts
    return tuple(
        Segment(partition, position, np.frombuffer(body, INCREMENT))
        for body, (partition, position) in zip(bodies, positions.items(), strict=True)
    )


def _parts(row: bytes) -> tuple[list[bytes], dict[int, int]] | None:
    """The increments of each segment, and the positions by partition; None where the bytes are no row."""
    if row[:1] != VERSION:
        return None
    bodies: list[bytes] = []
    positions: dict[int, int] = {}
    at, end = _ALONE, len(row)
    while at <= end:
        partition, position, _, _, length = _header(row, at - _HEADER)
        stop = at + length
        if stop > end or length % _SIZE or partition in positions:
            return None
        bodies.append(row[at:stop])
        positions[partition] = position
        at = stop + _HEADER
    # after the last segment there is no room for half a header
    return (bodies, positions) if at == end + _HEADER else None


def _without(found: Increments, strange: NDArray[np.bool_]) -> Increments:
    """The rows that hold a strange increment go whole: what else they hold cannot be trusted."""
    bad = np.unique(found.of[strange])
    keep = ~np.isin(found.of, bad)
    broken = sorted({*found.broken, *bad.tolist()})
    return Increments(
        of=found.of[keep],
        tile=found.tile[keep],
        measure=found.measure[keep],
        n=found.n[keep],
        amount=found.amount[keep],
        base=None if found.base is None else found.base[keep],
        positions=[each for each in found.positions if each[0] not in broken],
        broken=tuple(broken),
    )
