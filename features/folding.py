"""Compaction: what no window can tell apart any more becomes one increment of each measure.

Two things are grouped. What is older than the longest window and the slack is *folded* into one increment.
What is younger is grouped by the tiles by which edges of its age lie (`features.tiling`). A group has the
tile of its newest member, so that recencies stay exact.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.segments import FOLDED, INCREMENT, NO_TILE, Ints, Packed, Segment, packed
from features.sums import MOST_N, summed
from features.views import DAY_S, StreamView

MOST_INCREMENTS = 16_384
"""Of all segments of a row together: 280 kB. A longer row gives up slack first."""
SLACKS_S = (DAY_S, 3_600, 120)
"""What is tried where a row is too long with its view's own slack. With the last one it may stay so."""


def fold(segment: Segment, view: StreamView, newest_tile: int, slack_tiles: int | None = None) -> Segment:
    """The segment grouped as seen from `newest_tile`, without a loss to questions from the slack on.

    Every value for a time from `newest_tile - slack_tiles` (the view's slack if None) on stays what it was.
    """
    newest = newest_tile - (view.slack_tiles if slack_tiles is None else slack_tiles)
    increments = segment.increments
    tiles = increments["tile"].astype(np.int64)
    measures = increments["measure"] & ~np.uint8(FOLDED)
    folded = (tiles < fold_border(view, newest)) | (increments["measure"] >= FOLDED)
    groups, since = tiles.copy(), segment.since
    for level in view.levels:
        border = group_border(level.width, level.reach, newest)
        older = (tiles < border) & ~folded
        if older.any():
            groups[older] -= groups[older] % level.width
            since = max(since, _since(tiles, groups, older, level.finest, level.reach))
    groups[folded] = 0
    marked = np.where(folded, measures | FOLDED, measures)
    return segment._replace(increments=_merged(groups, tiles, marked, increments), since=since)


def fold_border(view: StreamView, newest_tile: int) -> int:
    """What lies before this tile is in no window of questions from `newest_tile` on."""
    begin = newest_tile - view.horizon_tiles
    return begin - begin % view.horizon_width


def group_border(width: int, reach: int, newest_tile: int) -> int:
    """Before this tile, questions from `newest_tile` on have edges at multiples of `width` only."""
    begin = newest_tile - reach
    return begin - begin % width


def compacted(segments: Sequence[Segment], view: StreamView, newest_tile: int) -> list[Segment]:
    """The segments of a row, each folded, with as much of the view's slack as a row has room for."""
    slacks = [each // view.resolution_s for each in SLACKS_S]
    for slack in (view.slack_tiles, *(each for each in slacks if 0 < each < view.slack_tiles)):
        found = [fold(segment, view, newest_tile, slack) for segment in segments]
        if sum(len(segment.increments) for segment in found) <= MOST_INCREMENTS:
            break
    return found


def _since(tiles: Ints, groups: Ints, older: NDArray[np.bool_], finest: int, reach: int) -> int:
    """The first question with all its edges after what was grouped, or 0 if nothing was."""
    grouped = tiles[older & (tiles != groups)]
    if not len(grouped):
        return 0
    newest = int(grouped.max())
    # no question is about a later tile, and a header has no room for one
    return min((newest // finest + 1) * finest + reach, NO_TILE)


def _merged(groups: Ints, tiles: Ints, measures: NDArray[np.uint8], increments: Packed) -> Packed:
    """One increment of each group and measure, in the order of their tiles."""
    keys, places = np.unique(groups << 8 | measures, return_inverse=True)
    newest = np.zeros(len(keys), np.int64)
    np.maximum.at(newest, places, tiles)
    counts, amounts = (summed(places, increments[name], len(keys)) for name in ("n", "amount"))
    if isinstance(amounts, list) or isinstance(counts, list) or abs(counts).max(initial=0) > MOST_N:
        columns = (newest.tolist(), (keys & 0xFF).tolist(), list(map(int, counts)), list(map(int, amounts)))
        found = packed(zip(*columns, strict=True))
    else:
        found = np.zeros(len(keys), INCREMENT)
        for name, column in (("tile", newest), ("measure", keys & 0xFF), ("n", counts), ("amount", amounts)):
            found[name] = column
    return found[np.lexsort((found["measure"], found["tile"]))]
