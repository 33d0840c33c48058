"""Whole rows out of SQL into the online store, which refuses what was read before others moved it on."""

import logging
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Protocol

from sqlalchemy.exc import DataError

from features.increments import encoded_row
from features.keys import row_key, shelf_of
from features.reading import Of, Rows
from features.views import DAY_S, StreamView
from transport import metrics
from transport.client_log import Sparse

ROWS_AT_ONCE = 500
"""How many rows one query reads. After a refusal the next one reads a quarter of it, and is quicker."""
UNREADABLE = (ValueError, ArithmeticError, DataError, struct.error)
"""What is raised of increments that make no row, as those of other definitions. An outage is not among it."""
ATTEMPTS = 2
"""How often a row that is not there is put. One that stays absent is put by the reader that misses it."""


_log = logging.getLogger(__name__)
_log.addFilter(Sparse())


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

    def drop(self, keys: Sequence[str]) -> None:
        """Take rows away."""


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
        """Those that were refused. One that cannot be read is set aside: it must not hold up all others."""
        try:
            rows = self._source.rows(view, whose)
            by_key = {row_key(of[0], shelf_of(view), of[1]): of for of in rows.segments}
            encoded = [
                (key, encoded_row(rows.segments[of], view), view.ttl_days * DAY_S)
                for key, of in by_key.items()
            ]
        except UNREADABLE as error:
            if len(whose) == 1:
                self._set_aside(view, whose[0], error)
                return []
            return [each for part in _parts(whose, len(whose) // 2) for each in self._try(view, part, reason)]
        known = {partition: beat.position for partition, beat in rows.heartbeats.items()}
        refused = self._shelf.put(encoded, known)
        metrics.FEATURE_ROWS_PUT.labels(reason).inc(len(by_key) - len(refused))
        self._alive()
        return [by_key[key] for key in refused]

    def _set_aside(self, view: StreamView, of: Of, error: Exception) -> None:
        """Say whose row it is, and leave it absent."""
        self._shelf.drop([row_key(of[0], shelf_of(view), of[1])])
        metrics.FEATURE_ROWS_SET_ASIDE.labels(view.name).inc()
        _log.error(
            "set aside: %s of %r, tenant %r, cannot be made a row: %s: %.300s. See what it is made of by "
            "`signalbox features history`; once it is mended, `signalbox features materialize --all` puts it",
            *(view.name, of[1], of[0], type(error).__name__, str(error)),
        )


def _parts(items: Sequence[Of], size: int) -> Iterator[Sequence[Of]]:
    for first in range(0, len(items), size):
        yield items[first : first + size]
