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
_header = HEADER.unpack_from


@dataclass(frozen=True, slots=True)
class Increments:
    """The increments of a batch of rows, in columns; `of` is the place of each one's row in the batch.

    `base` marks those that stand for all up to their tile. `positions` has for each row the next offset by
    partition, and is empty for a row that is not there. `broken` names the places of rows whose bytes are
    none: they count as not there.

    Columns may have any type of integer, and need not be contiguous: those of `decode_rows` lie in its bytes.
    """

    of: NDArray[np.intp]
    tile: Column
    measure: Column
    n: Column
    amount: Column
    base: NDArray[np.bool_]
    positions: list[dict[int, int]]
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
    bodies: list[bytes] = []
    counts: list[int] = []
    positions: list[dict[int, int]] = []
    broken: list[int] = []
    for place, value in enumerate(values):
        if value is not None and len(value) >= _ALONE and value[0] == VERSION[0]:
            # most rows have one segment, and this loop is half of what it costs to read a batch
            partition, position, _, _, length = _header(value, 1)
            if length == len(value) - _ALONE and not length % _SIZE:
                bodies.append(value[_ALONE:])
                positions.append({partition: position})
                counts.append(length // _SIZE)
                continue
        parts = None if value is None else _parts(value)
        if parts is None:
            parts = ([], {})
            if value is not None:
                broken.append(place)
        bodies += parts[0]
        positions.append(parts[1])
        counts.append(sum(map(len, parts[0])) // _SIZE)
    found = _columns(np.frombuffer(b"".join(bodies), INCREMENT), counts, positions, broken)
    strange = found.measure >= measures
    return _without(found, strange) if strange.any() else found


def of_segments(rows: Sequence[Sequence[Segment]]) -> Increments:
    """The same out of segments, as the offline tier gives them."""
    arrays = [segment.increments for row in rows for segment in row]
    counts = [sum(len(segment.increments) for segment in row) for row in rows]
    positions = [{segment.partition: segment.position for segment in row} for row in rows]
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
    raw: Packed, counts: Sequence[int], positions: list[dict[int, int]], broken: Sequence[int]
) -> Increments:
    measures = raw["measure"]
    base = measures >= FOLDED
    # what is not copied needs no memory: fresh memory for the columns took four fifths of the time
    return Increments(
        of=np.repeat(np.arange(len(counts)), counts),
        tile=raw["tile"],
        measure=measures & ~np.uint8(FOLDED) if base.any() else measures,
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
        base=found.base[keep],
        positions=[{} if place in broken else at for place, at in enumerate(found.positions)],
        broken=tuple(broken),
    )
