"""Whole rows out of SQL into the online store, which refuses what was read before others moved it on."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Protocol

from features.increments import compact, encode_row
from features.keys import row_key, shelf_of
from features.reading import Of, Rows
from features.segments import Segment
from features.views import DAY_S, StreamView
from transport import metrics

ROWS_AT_ONCE = 500
"""How many rows one query reads. After a refusal the next one reads a quarter of it, and is quicker."""
LONG = 64
"""Increments of a segment from which on it is worth 50 us to look for those that can be one."""
ATTEMPTS = 2
"""How often a row that is not there is put. One that stays absent is put by whoever misses it."""


class Source(Protocol):
    """The offline store, as rows are read from it. Every method raises `Unavailable`."""

    def rows(self, view: StreamView, keys: Sequence[Of]) -> Rows:
        """All increments of these entities, of one moment."""

    def touched_since(self, topic: str, partition: int, offset: int) -> Mapping[str, Sequence[Of]]:
        """By view, the entities with increments from this offset of a partition on."""


class Shelf(Protocol):
    """The online store, as whole rows are put there."""

    def put(self, rows: Iterable[tuple[str, bytes, int]], known: Mapping[int, int]) -> tuple[str, ...]:
        """Put rows that were read when SQL stood at `known`; the keys of those that were refused."""


class Putter:
    """Puts rows, and tries again with those that were overtaken. Raises `Unavailable`."""

    def __init__(
        self,
        views: Mapping[str, StreamView],
        source: Source,
        shelf: Shelf,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        """`alive` is called after each query."""
        self._views = views
        self._source = source
        self._shelf = shelf
        self._alive = alive

    def put(self, touched: Mapping[str, Iterable[Of]], reason: str, attempts: int = ATTEMPTS) -> int:
        """Put the rows of these entities, by view; how many were refused each time. `reason` is counted."""
        return sum(
            self._of_view(self._views[name], whose, reason, attempts) for name, whose in touched.items()
        )

    def _of_view(self, view: StreamView, whose: Iterable[Of], reason: str, attempts: int) -> int:
        remaining = iter(whose)
        refused = 0
        while some := list(islice(remaining, ROWS_AT_ONCE)):
            left, size = some, ROWS_AT_ONCE
            for _ in range(attempts):
                left = [each for part in _parts(left, size) for each in self._try(view, part, reason)]
                if not left:
                    break
                size = max(1, size // 4)
            refused += len(left)
        return refused

    def _try(self, view: StreamView, whose: Sequence[Of], reason: str) -> list[Of]:
        """Those that were refused."""
        rows = self._source.rows(view, whose)
        by_key = {row_key(of[0], shelf_of(view), of[1]): of for of in rows.segments}
        encoded = (
            (key, encoded_row(rows.segments[of], view), view.ttl_days * DAY_S) for key, of in by_key.items()
        )
        known = {partition: beat.position for partition, beat in rows.heartbeats.items()}
        refused = self._shelf.put(encoded, known)
        metrics.FEATURE_ROWS_PUT.labels(reason).inc(len(by_key) - len(refused))
        self._alive()
        return [by_key[key] for key in refused]


def encoded_row(segments: Sequence[Segment], view: StreamView) -> bytes:
    """A row's bytes. In a long row what is of one tile is one increment: a product may sell often a day."""
    if all(len(segment.increments) < LONG for segment in segments):
        return encode_row(segments, view)
    newest = max(int(segment.increments["tile"].max(initial=0)) for segment in segments)
    return compact(segments, view, newest)


def _parts(items: Sequence[Of], size: int) -> Iterator[Sequence[Of]]:
    for first in range(0, len(items), size):
        yield items[first : first + size]
