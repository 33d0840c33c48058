"""Which increments does the online tier have of a batch of rows? From bytes that anybody may have written."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.increments import Increments, Positions, columns_of
from features.segments import FOLDED, HEADER, INCREMENT, VERSION, Ints, Segment

_HEADER, _SIZE = HEADER.size, INCREMENT.itemsize
_HEAD = np.dtype(
    [("partition", "<i2"), ("position", "<u8"), ("oldest", "<u4"), ("cap", "<u4"), ("length", "<u4")]
)
_ALONE = len(VERSION) + _HEADER
"""Where the increments of the first segment begin."""
_ONLY_HEAD = np.dtype([("version", "u1"), *_HEAD.descr])
"""What comes before them."""
_NO_PARTITION = -(1 << 31)

Places = NDArray[np.intp]
Bools = NDArray[np.bool_]


class _Segments(NamedTuple):
    """Segments of rows: the place of each one's row, and where its increments begin and end."""

    place: Places
    partition: NDArray[np.int16]
    position: NDArray[np.uint64]
    begin: Ints
    end: Ints

    def among(self, chosen: "Bools | Places") -> "_Segments":
        """Some of them."""
        return _Segments._make(column[chosen] for column in self)


_NONE = _Segments._make(np.empty(0, dtype) for dtype in (np.intp, np.int16, np.uint64, np.int64, np.int64))


def decode_rows(values: Sequence[bytes | None], measures: int = FOLDED) -> Increments:
    """The increments of all rows. `measures` is how many the view has: a row with another one is broken."""
    rows = [value or b"" for value in values]
    found = _of_one_each(rows)
    if found is None:
        found = _of_any(rows, [value is not None for value in values])
    # one look for the largest costs half of a comparison: mostly there is nothing to find
    if found.measure.max(initial=0) < measures:
        return found
    return _without(found, found.measure >= measures)


def _of_one_each(rows: Sequence[bytes]) -> Increments | None:
    """Where each row has one segment, in half the time."""
    heads = [row[:_ALONE] for row in rows]
    joined = b"".join(heads)
    if len(joined) < _ALONE * len(rows):
        return None
    head = np.frombuffer(joined, _ONLY_HEAD)
    sizes = np.fromiter(map(len, rows), np.int64, len(rows)) - _ALONE
    alone = (head["version"] == VERSION[0]) & (head["length"] == sizes) & (sizes % _SIZE == 0)
    if not alone.all():
        return None
    # to copy a row of 1 kB takes half the time that a view of it does
    raw = np.frombuffer(b"".join([row[_ALONE:] for row in rows]), INCREMENT)
    positions = Positions(np.arange(len(rows)), head["partition"], head["position"])
    return columns_of(raw, sizes // _SIZE, positions)


def _of_any(rows: Sequence[bytes], there: Sequence[bool]) -> Increments:
    """Where rows have several segments or none, and some are broken."""
    joined, sizes = b"".join(rows), np.fromiter(map(len, rows), np.int64, len(rows))
    sound = sizes > 0
    segments = _by_row(_layers(joined, sizes, sound), sound)
    bounds = zip(segments.begin.tolist(), segments.end.tolist(), strict=True)
    raw = np.frombuffer(b"".join([joined[begin:end] for begin, end in bounds]), INCREMENT)
    counts = np.bincount(segments.place, (segments.end - segments.begin) // _SIZE, len(rows))
    broken = np.flatnonzero(~sound & there).tolist()
    return columns_of(raw, counts.astype(np.intp), Positions(*segments[:3]), broken)


def _layers(joined: bytes, sizes: Ints, sound: Bools) -> list[_Segments]:
    """The first segment of every row, then the second of those that have one, and so on.

    What is no row is put down in `sound`, and its segments are not to be used. All rows are looked through
    at once: one by one, those of two segments (a backfilled past, what came since) took twice as long.
    """
    ends = np.cumsum(sizes)
    # what stands at any byte, read as a header: items that overlap, of which no more is copied than asked for
    heads = np.ndarray(max(len(joined) - _HEADER + 1, 0), _HEAD, joined, strides=(1,))
    layers: list[_Segments] = []
    place = np.flatnonzero(sound)
    begin = (ends - sizes)[place]
    right = np.frombuffer(joined, np.uint8)[begin] == VERSION[0]
    place, at = _keep(right, sound, place, begin + len(VERSION))
    while len(place := place[more := at < ends[place]]):
        at = at[more] + _HEADER
        place, at = _keep(at <= ends[place], sound, place, at)
        head = heads[at - _HEADER]
        layer = _Segments(place, head["partition"], head["position"], at, at + head["length"])
        right = (layer.end <= ends[place]) & (head["length"] % _SIZE == 0)
        for earlier in layers:
            right &= ~_again(earlier, layer, len(sizes))
        if not right.all():
            sound[place[~right]] = False
            layer = layer.among(right)
        layers.append(layer)
        place, at = layer.place, layer.end
    return layers


def _keep(right: Bools, sound: Bools, place: Places, at: Ints) -> tuple[Places, Ints]:
    if right.all():
        return place, at
    sound[place[~right]] = False
    return place[right], at[right]


def _again(earlier: _Segments, layer: _Segments, rows: int) -> Bools:
    """Which segments are of a partition that their row has had already."""
    partitions = np.full(rows, _NO_PARTITION)
    partitions[earlier.place] = earlier.partition
    again: Bools = partitions[layer.place] == layer.partition
    return again


def _by_row(layers: Sequence[_Segments], sound: Bools) -> _Segments:
    """The segments of all sound rows, those of each row together."""
    if len(layers) == 1:
        found = layers[0]
    else:
        found = _Segments._make(np.concatenate(columns) for columns in zip(_NONE, *layers, strict=True))
        found = found.among(np.argsort(found.place, kind="stable"))
    return found if sound.all() else found.among(sound[found.place])


def segments_of(row: bytes) -> tuple[Segment, ...]:
    """What `encode_row` was given. Raises `ValueError` where the bytes are no row."""
    sound = np.array([len(row) > 0])
    found = _by_row(_layers(row, np.array([len(row)]), sound), sound)
    if not sound[0]:
        raise ValueError(f"{len(row)} bytes that are no row of increments: {row[:16]!r}")
    _, *columns = (column.tolist() for column in found)
    return tuple(
        Segment(partition, position, np.frombuffer(row[begin:end], INCREMENT))
        for partition, position, begin, end in zip(*columns, strict=True)
    )


def _without(found: Increments, strange: Bools) -> Increments:
    """The rows that hold a strange increment go whole: what else they hold cannot be trusted."""
    bad = np.unique(found.of[strange])
    keep = ~np.isin(found.of, bad)
    return Increments(
        of=found.of[keep],
        tile=found.tile[keep],
        measure=found.measure[keep],
        n=found.n[keep],
        amount=found.amount[keep],
        base=None if found.base is None else found.base[keep],
        positions=found.positions.among(~np.isin(found.positions.place, bad)),
        broken=tuple(sorted({*found.broken, *bad.tolist()})),
    )
