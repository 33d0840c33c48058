"""Increments in the bytes of online rows, read and written; `features.segments` has their form."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.extraction import Increment
from features.folding import compacted, fold
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
from features.sums import parts
from features.views import StreamView

__all__ = [
    "FOLDED",
    "HEADER",
    "INCREMENT",
    "Increments",
    "Ints",
    "Packed",
    "Positions",
    "Segment",
    "compact",
    "encode_increments",
    "encode_row",
    "encoded_row",
    "fold",
    "of_segments",
    "packed",
]


Column = NDArray[np.integer[Any]]
LONG = 64
"""Increments of a segment from which on it is worth 50 us to look for those that can be one."""
MOST_GROWTH = 4_096
"""By so many increments a segment may grow before it is compacted again."""


class Positions(NamedTuple):
    """For each segment its row's place in the batch, its partition, and the next offset that is not in it."""

    place: NDArray[np.intp]
    partition: NDArray[np.int16]
    position: NDArray[np.uint64]

    @classmethod
    def of(cls, positions: Sequence[tuple[int, int, int]] = ()) -> "Positions":
        """One by one."""
        place, partition, position = zip(*positions, strict=True) if positions else ((), (), ())
        return cls(np.array(place, np.intp), np.array(partition, np.int16), np.array(position, np.uint64))

    def among(self, chosen: NDArray[np.bool_]) -> "Positions":
        """Some of them."""
        return Positions._make(column[chosen] for column in self)


@dataclass(frozen=True, slots=True)
class Increments:
    """The increments of a batch of rows, in columns; `of` is the place of each one's row in the batch.

    `base` marks those that stand for all up to their tile, None if none does. `since` has for each row the
    first tile for whose questions it is exact, None if all rows are for all. `positions` has one entry for
    each segment. `broken` names the places of rows whose bytes are none: they count as not there.

    Columns may have any type of integer, and need not be contiguous: those of `features.decoding` lie in the
    bytes that were read.
    """

    of: NDArray[np.intp]
    tile: Column
    measure: Column
    n: Column
    amount: Column
    base: NDArray[np.bool_] | None
    positions: Positions
    broken: tuple[int, ...] = ()
    since: Ints | None = None


def encode_increments(increments: Iterable[Increment]) -> bytes:
    """What is appended to a segment; `ONE.size` bytes for each tile and measure."""
    sums: dict[tuple[int, int], tuple[int, int]] = {}
    for each in increments:
        n, amount = sums.get((each.tile, each.measure), (0, 0))
        sums[each.tile, each.measure] = n + each.n, amount + each.amount
    pack = ONE.pack
    return b"".join([pack(*key, *part) for key, total in sums.items() for part in parts(*total)])


def encode_row(segments: Iterable[Segment], view: StreamView) -> bytes:
    """A whole row. Without segments it says that nothing is known of the entity.

    Raises `ValueError` if an increment is of no measure of the view: it was made by other definitions.
    """
    written = [VERSION]
    for partition, position, increments, since in segments:
        measures = increments["measure"]
        if len(measures) and int((measures & ~np.uint8(FOLDED)).max()) >= len(view.measures):
            raise ValueError(
                f"view {view.name} has {len(view.measures)} measures; an increment is of another"
            )
        open_tiles = increments["tile"][measures < FOLDED]
        oldest = int(open_tiles.min()) if len(open_tiles) else NO_TILE
        body = increments.tobytes()
        # a segment that nothing makes smaller would otherwise ask for it with each append
        cap = max(SMALLEST_CAP, len(increments) + min(len(increments), MOST_GROWTH))
        written += (HEADER.pack(partition, position, oldest, cap, since, len(body)), body)
    return b"".join(written)


def compact(segments: Iterable[Segment], view: StreamView, newest_tile: int) -> bytes:
    """The row of these segments, grouped as `features.folding` says."""
    return encode_row(compacted(list(segments), view, newest_tile), view)


def encoded_row(segments: Sequence[Segment], view: StreamView) -> bytes:
    """A row's bytes; a long row is compacted as seen from its newest increment."""
    if all(len(segment.increments) < LONG for segment in segments):
        return encode_row(segments, view)
    newest = max(int(segment.increments["tile"].max(initial=0)) for segment in segments)
    return compact(segments, view, newest)


def of_segments(rows: Sequence[Sequence[Segment]]) -> Increments:
    """The same out of segments, as the offline tier gives them."""
    arrays = [segment.increments for row in rows for segment in row]
    counts = np.array([sum(len(segment.increments) for segment in row) for row in rows], np.intp)
    positions = Positions.of(
        [(place, segment.partition, segment.position) for place, row in enumerate(rows) for segment in row]
    )
    since = np.array([max((segment.since for segment in row), default=0) for row in rows], np.int64)
    return columns_of(np.concatenate([np.empty(0, INCREMENT), *arrays]), counts, positions, since=since)


def columns_of(
    raw: Packed, counts: NDArray[np.intp], positions: Positions, broken: Sequence[int] = (), *, since: Column
) -> Increments:
    """The increments `raw`, of which `counts` belong to each row in turn; exact from `since` on."""
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
        since=since.astype(np.int64) if since.any() else None,
    )
