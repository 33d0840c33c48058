"""Locates the segments in a batch of online rows, and marks rows that are malformed."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.segments import HEAD, HEADER, INCREMENT, VERSION, Ints

Places = NDArray[np.intp]
Bools = NDArray[np.bool_]

_HEADER, _SIZE = HEADER.size, INCREMENT.itemsize
_COLUMNS = (np.intp, np.int16, np.uint64, np.int64, np.int64, np.int64)
_LAYERS, _MANY = 8, 32
"""Rows of more segments, or fewer rows, are walked one by one: a layer of one costs what one of all does."""
_header = HEADER.unpack_from


class Located(NamedTuple):
    """Segments of rows: the place of each one's row, its header, and where its increments begin and end."""

    place: Places
    partition: NDArray[np.int16]
    position: NDArray[np.uint64]
    since: Ints
    begin: Ints
    end: Ints

    def among(self, chosen: Bools | Places) -> "Located":
        """Some of them."""
        return Located._make(column[chosen] for column in self)


_NONE = Located._make(np.empty(0, dtype) for dtype in _COLUMNS)


class _Rows(NamedTuple):
    """Rows of bytes one after the other, and where each begins and ends."""

    joined: bytes
    begins: Ints
    ends: Ints


def locate(joined: bytes, sizes: Ints) -> tuple[Located, Bools]:
    """The segments of rows of these sizes, those of each row together, and which of the rows are sound.

    Of a row that is not, there are no segments. Where rows are many, the first segments of all of them are
    looked for at once, then the second ones: row by row, two for each of 256 (a backfilled past, and what
    came since) took twice as long.
    """
    ends = np.cumsum(sizes)
    rows, sound = _Rows(joined, ends - sizes, ends), sizes > 0
    deep = np.flatnonzero(sound)
    layers: list[Located] = []
    if len(deep) >= _MANY:
        layers, deep = _layers(rows, sound)
    if len(deep):
        shallow = [layer.among(~np.isin(layer.place, deep)) for layer in layers]
        layers = [*shallow, _walked(rows, deep, sound)]
    if len(layers) == 1:
        found = layers[0]
    else:
        found = Located._make(np.concatenate(columns) for columns in zip(_NONE, *layers, strict=True))
        found = found.among(np.argsort(found.place, kind="stable"))
        sound[_repeating(found)] = False
    return found if sound.all() else found.among(sound[found.place]), sound


def _layers(rows: _Rows, sound: Bools) -> tuple[list[Located], Places]:
    """The first segment of every row, the second of those that have one, …; and whose rows go on after that.

    For a row that is found to be none, `sound` is made false.
    """
    joined, begins, ends = rows
    # what stands at any byte, read as a header: items that overlap, of which no more is copied than asked for
    heads = np.ndarray(max(len(joined) - _HEADER + 1, 0), HEAD, joined, strides=(1,))
    layers: list[Located] = []
    place = np.flatnonzero(sound)
    right = np.frombuffer(joined, np.uint8)[begins[place]] == VERSION[0]
    place, at = _keep(right, sound, place, begins[place] + len(VERSION))
    while len(place := place[more := at < ends[place]]) and len(layers) < _LAYERS:
        at = at[more] + _HEADER
        place, at = _keep(at <= ends[place], sound, place, at)
        head = heads[at - _HEADER]
        since = head["since"].astype(np.int64)
        layer = Located(place, head["partition"], head["position"], since, at, at + head["length"])
        right = (layer.end <= ends[place]) & (head["length"] % _SIZE == 0)
        if not right.all():
            sound[place[~right]] = False
            layer = layer.among(right)
        layers.append(layer)
        place, at = layer.place, layer.end
    return layers, place


def _keep(right: Bools, sound: Bools, place: Places, at: Ints) -> tuple[Places, Ints]:
    if right.all():
        return place, at
    sound[place[~right]] = False
    return place[right], at[right]


def _walked(rows: _Rows, deep: Places, sound: Bools) -> Located:
    """All segments of the rows at these places."""
    found: list[tuple[int, ...]] = []
    for place in deep.tolist():
        segments = _walk(rows.joined, int(rows.begins[place]), int(rows.ends[place]))
        if segments is None:
            sound[place] = False
        else:
            found += ((place, *segment) for segment in segments)
    if not found:
        return _NONE
    columns = zip(zip(*found, strict=True), _COLUMNS, strict=True)
    return Located._make(np.array(column, dtype) for column, dtype in columns)


def _walk(joined: bytes, begin: int, end: int) -> Sequence[tuple[int, int, int, int, int]] | None:
    """Partition, position, since, begin and end of each segment of one row; None if it is none."""
    found: dict[int, tuple[int, int, int, int, int]] = {}
    if not joined.startswith(VERSION, begin):
        return None
    at = begin + len(VERSION)
    while at < end:
        first = at + _HEADER
        if first > end:
            return None
        partition, position, _, _, since, length = _header(joined, at)
        at = first + length
        if at > end or length % _SIZE or partition in found:
            return None
        found[partition] = (partition, position, since, first, at)
    return list(found.values())


def _repeating(found: Located) -> Places:
    """The rows that have two segments of one partition: which of them would count?"""
    keys = (found.place << 16) + (found.partition.astype(np.intp) & 0xFFFF)
    keys.sort()
    again: Places = keys[1:][keys[1:] == keys[:-1]] >> 16
    return again
