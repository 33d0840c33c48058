"""Decoder of online rows into increments. The bytes may come from any writer."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.increments import Increments, Positions, columns_of
from features.locating import locate
from features.segments import FOLDED, HEAD, HEADER, INCREMENT, VERSION, Segment

_SIZE = INCREMENT.itemsize
_ALONE = len(VERSION) + HEADER.size
"""Where the increments of the first segment begin."""
_HEAD = np.dtype([("version", "u1"), *HEAD.descr])
"""What comes before them."""


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
    """Where each row has one segment, which most have; None if one has not."""
    heads = [row[:_ALONE] for row in rows]
    joined = b"".join(heads)
    if len(joined) < _ALONE * len(rows):
        return None
    head = np.frombuffer(joined, _HEAD)
    sizes = np.fromiter(map(len, rows), np.int64, len(rows)) - _ALONE
    alone = (head["version"] == VERSION[0]) & (head["length"] == sizes) & (sizes % _SIZE == 0)
    if not alone.all():
        return None
    # to copy a row of 1 kB takes half the time that a view of it does
    raw = np.frombuffer(b"".join([row[_ALONE:] for row in rows]), INCREMENT)
    positions = Positions(np.arange(len(rows)), head["partition"], head["position"])
    return columns_of(raw, sizes // _SIZE, positions, since=head["since"])


def _of_any(rows: Sequence[bytes], there: Sequence[bool]) -> Increments:
    """Where rows have several segments or none, and some are broken."""
    joined, sizes = b"".join(rows), np.fromiter(map(len, rows), np.int64, len(rows))
    segments, sound = locate(joined, sizes)
    bounds = zip(segments.begin.tolist(), segments.end.tolist(), strict=True)
    raw = np.frombuffer(b"".join([joined[begin:end] for begin, end in bounds]), INCREMENT)
    counts = np.bincount(segments.place, (segments.end - segments.begin) // _SIZE, len(rows))
    broken = np.flatnonzero(~sound & there).tolist()
    since = np.zeros(len(rows), np.int64)
    np.maximum.at(since, segments.place, segments.since)
    return columns_of(raw, counts.astype(np.intp), Positions(*segments[:3]), broken, since=since)


def segments_of(row: bytes) -> tuple[Segment, ...]:
    """What `encode_row` was given. Raises `ValueError` if the bytes are no row."""
    segments, sound = locate(row, np.array([len(row)]))
    if not sound[0]:
        raise ValueError(f"{len(row)} bytes that are no row of increments: {row[:16]!r}")
    _, *columns = (column.tolist() for column in segments)
    return tuple(
        Segment(partition, position, np.frombuffer(row[begin:end], INCREMENT), since)
        for partition, position, since, begin, end in zip(*columns, strict=True)
    )


def _without(found: Increments, strange: NDArray[np.bool_]) -> Increments:
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
        since=found.since,
    )
