"""Which increments stand in the rows of a batch? Bytes there and back; `features.segments` has their form."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.extraction import Increment
from features.folding import fold
from features.segments import (
    FOLDED,
    HEADER,
    INCREMENT,
    NO_TILE,
    ONE,
    SMALLEST_CAP,
    VERSION,
    Ints,
    Packed,
    Segment,
    packed,
)
from features.views import StreamView

__all__ = [
    "FOLDED",
    "HEADER",
    "INCREMENT",
    "Increments",
    "Ints",
    "Packed",
    "Segment",
    "compact",
    "decode_rows",
    "encode_increments",
    "encode_row",
    "fold",
    "of_segments",
    "packed",
    "segments_of",
]


Column = NDArray[np.integer[Any]]


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

Position = tuple[int, int, int]
"""A row's place in its batch, a partition, and the next offset of it that is not in that row."""


@dataclass(frozen=True, slots=True)
class Increments:
    """The increments of a batch of rows, in columns; `of` is the place of each one's row in the batch.

    `base` marks those that stand for all up to their tile, None where none does. `positions` has one entry
    for each segment. `broken` names the places of rows whose bytes are none: they count as not there.

    Columns may have any type of integer, and need not be contiguous: those of `decode_rows` lie in its bytes.
    """

    of: NDArray[np.intp]
    tile: Column
    measure: Column
    n: Column
    amount: Column
    base: NDArray[np.bool_] | None
    positions: Sequence[Position]
    broken: tuple[int, ...] = ()


def encode_increments(increments: Iterable[Increment]) -> bytes:
    """What is appended to a segment; `ONE.size` bytes each."""
    pack = ONE.pack
    return b"".join([pack(each.tile, each.measure, each.n, each.amount) for each in increments])


def encode_row(segments: Iterable[Segment], view: StreamView) -> bytes:
    """A whole row. Without segments it says that nothing is known of the entity.

    Raises `ValueError` where an increment is of no measure of the view: it was made by other definitions.
    """
    parts = [VERSION]
    for partition, position, increments in segments:
        measures = increments["measure"]
        if len(measures) and int((measures & ~np.uint8(FOLDED)).max()) >= len(view.measures):
            raise ValueError(
                f"view {view.name} has {len(view.measures)} measures; an increment is of another"
            )
        open_tiles = increments["tile"][measures < FOLDED]
        oldest = int(open_tiles.min()) if len(open_tiles) else NO_TILE
        body = increments.tobytes()
        # a segment that nothing makes smaller would otherwise ask for it with each append
        cap = max(SMALLEST_CAP, 2 * len(increments))
        parts += (HEADER.pack(partition, position, oldest, cap, len(body)), body)
    return b"".join(parts)


def compact(segments: Iterable[Segment], view: StreamView, newest_tile: int) -> bytes:
    """The row of these segments, each folded as `features.folding.fold` says."""
    return encode_row([fold(segment, view, newest_tile) for segment in segments], view)


def decode_rows(values: Sequence[bytes | None], measures: int = FOLDED) -> Increments:
    """The increments of all rows. `measures` is how many the view has: a row with another one is broken."""
    rows = [value or b"" for value in values]
    # not copied: joining them is copy enough
    bodies: list[bytes | memoryview] = [memoryview(row)[_ALONE:] for row in rows]
    head = _heads(rows)
    sizes = np.array([len(body) for body in bodies], np.intp)
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
    found = _columns(np.frombuffer(b"".join(bodies), INCREMENT), sizes // _SIZE, positions, broken)
    strange = found.measure >= measures
    return _without(found, strange) if strange.any() else found


def _heads(rows: Sequence[bytes]) -> Packed:
    """What stands before the increments of the first segment; zeros where that is not all there."""
    heads = [row[:_ALONE] for row in rows]
    joined = b"".join(heads)
    if len(joined) < _ALONE * len(rows):
        joined = b"".join([head if len(head) == _ALONE else _NO_HEAD for head in heads])
    return np.frombuffer(joined, _HEAD)


def of_segments(rows: Sequence[Sequence[Segment]]) -> Increments:
    """The same out of segments, as the offline tier gives them."""
    arrays = [segment.increments for row in rows for segment in row]
    counts = np.array([sum(len(segment.increments) for segment in row) for row in rows], np.intp)
    positions = [
        (place, segment.partition, segment.position) for place, row in enumerate(rows) for segment in row
    ]
    return _columns(np.concatenate([np.empty(0, INCREMENT), *arrays]), counts, positions, ())


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


def _columns(
    raw: Packed, counts: NDArray[np.intp], positions: Sequence[Position], broken: Sequence[int]
) -> Increments:
    measures = raw["measure"]
    # one look for the largest costs half of two comparisons, and mostly there is nothing to find
    base = measures >= FOLDED if measures.max(initial=0) >= FOLDED else None
    # what is not copied needs no memory: fresh memory for the columns took four fifths of the time
    return Increments(
        of=np.arange(len(counts)).repeat(counts),
        tile=raw["tile"],
        measure=measures if base is None else measures & ~np.uint8(FOLDED),
        n=raw["n"],
        amount=raw["amount"],
        base=base,
        positions=positions,
        broken=tuple(broken),
    )


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
