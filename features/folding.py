"""How does a row stay small? What no window can tell apart any more becomes one increment a measure."""

import numpy as np
from numpy.typing import NDArray

from features.segments import FOLDED, INCREMENT, Ints, Packed, Segment
from features.views import StreamView


def fold(segment: Segment, view: StreamView, newest_tile: int) -> Segment:
    """The segment with everything older than the view's horizon and slack, as seen from `newest_tile`, in one
    increment for each measure, and what is of one tile and measure in one as well.

    Every value for a time from `newest_tile - view.slack_tiles` on stays what it was.
    """
    cutoff = newest_tile - view.horizon_tiles - view.slack_tiles
    increments = segment.increments
    tiles = increments["tile"].astype(np.int64)
    measures = increments["measure"] & ~np.uint8(FOLDED)
    old = (tiles < cutoff) | (increments["measure"] >= FOLDED)
    for measure in np.unique(measures[old]):
        of_it = old & (measures == measure)
        # the newest that is in it: before that time nothing can be said of it
        tiles[of_it] = tiles[of_it].max()
    return segment._replace(increments=_merged(tiles, np.where(old, measures | FOLDED, measures), increments))


def _merged(tiles: Ints, measures: NDArray[np.uint8], increments: Packed) -> Packed:
    """By tile and measure, in that order, each once."""
    keys, places = np.unique(tiles << 8 | measures, return_inverse=True)
    merged = np.zeros(len(keys), INCREMENT)
    merged["tile"] = keys >> 8
    merged["measure"] = keys & 0xFF
    for name in ("n", "amount"):
        sums = np.zeros(len(keys), np.int64)
        np.add.at(sums, places, increments[name])
        merged[name] = sums
    return merged
