"""Where the edges of windows lie: at tiles of a second near the question, at coarser ones further back.

A window of `[t - delay - days, t - delay)` begins and ends at a border of the tiles of that age, counted from
1970. The rule looks at the question's time and the window alone, never at what is stored or when it was
compacted, so that every tier gives the same value; and what lies between two borders may be added up, which
keeps the row of a busy entity short.
"""

from collections.abc import Sequence
from typing import NamedTuple

_DAY_S = 86_400

Edges = tuple[tuple[int, int], ...]
BY_AGE: Edges = ((1, 300), (8, 3_600), (36_500, 14_400))
"""Up to so many days before the question, an edge lies at a whole multiple of so many seconds."""
EXACT: Edges = ()
"""Every edge lies at the view's own resolution. Rows of busy entities are then as long as they are busy."""


class Level(NamedTuple):
    """Tiles of `width` of the view's own. Edges `reach` tiles before a question or less may lie finer.

    `finest` is the width by which an edge at `reach` lies.
    """

    width: int
    reach: int
    finest: int


def levels_of(resolution_s: int, edges: Edges) -> tuple[Level, ...]:
    """From the finest to the coarsest, without the view's own tiles. Widths divide each other and a day.

    A width that the resolution does not divide becomes the next smaller one that fits.
    """
    a_day = _DAY_S // resolution_s
    widths: list[int] = []
    whole = a_day
    for _, seconds in reversed(edges):
        whole = _largest_divisor(whole, seconds // resolution_s)
        widths.insert(0, whole)
    found: list[Level] = []
    finest, reach = 1, 0
    for (days, _), width in zip(edges, widths, strict=True):
        if width > finest:
            found.append(Level(width, reach, finest))
        finest, reach = width, days * a_day
    return tuple(found)


def width_at(levels: Sequence[Level], back: int) -> int:
    """How wide the tiles are by which an edge lies that is `back` tiles before its question."""
    return max((level.width for level in levels if back > level.reach), default=1)


def _largest_divisor(whole: int, most: int) -> int:
    return next(width for width in range(max(1, min(whole, most)), 0, -1) if whole % width == 0)
