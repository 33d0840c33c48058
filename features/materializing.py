"""Materialisation from SQL to Redis: batch views since the last run, stream views row by row."""

from collections.abc import Callable, Iterable
from typing import Protocol

from events.decision import Millis
from features.batch_reading import encode_values
from features.keys import row_key, shelf_of
from features.offline.batch_store import BatchStore, Watermark
from features.offline.batch_tables import Cursor, Version
from features.offline.store import OfflineStore
from features.pipeline.putting import Putter
from features.reading import Values
from features.views import DAY_S, BatchView, StreamView
from transport.clock import Clock, system_clock

AT_ONCE = 1_000
"""Rows between two watermarks: what is lost by a stop is done again."""
OVERLAP_MS = 600_000
"""How long a transaction that fills a table may take: what it wrote is seen only at its end, and may have
been written, by its own account, before a run that did not see it."""

NOWHERE = Watermark(Cursor(0), complete=False, as_of=0)
"""Where a view stands of which nothing was put online."""

Progress = Callable[[int], None]
"""Called with how many rows more are done."""


class Shelf(Protocol):
    """The online store, as far as batch views are put there."""

    def put_values(
        self, view: str, rows: Iterable[tuple[str, bytes, int]], as_of: Millis | None = None
    ) -> None:
        """Put rows (key, bytes, seconds to live), none over a later one; then all up to `as_of` is there."""


def no_progress(_rows: int) -> None:
    """Report nothing."""


class Materializer:
    """Puts rows of batch views online that were written since the last time. Methods raise `Unavailable`.

    May be stopped anywhere: the next run goes on from the last watermark. Two at once do each other no harm.
    """

    def __init__(self, store: BatchStore, shelf: Shelf, clock: Clock = system_clock) -> None:
        self._store = store
        self._shelf = shelf
        self._clock = clock

    def pending(self, view: BatchView, *, anew: bool = False) -> int:
        """How many rows a run would put online."""
        stood = NOWHERE if anew else self._store.watermark(view) or NOWHERE
        return self._store.count_after(view, beginning(stood))

    def run(self, view: BatchView, *, anew: bool = False, progress: Progress = no_progress) -> int:
        """Put everything online that was written since the watermark; `anew` begins at the first row.

        Returns how many rows that were.
        """
        looked = self._clock()
        stood = self._store.watermark(view) or NOWHERE
        cursor = Cursor(0) if anew else beginning(stood)
        rows = 0
        while versions := self._store.written_after(view, cursor, AT_ONCE):
            self._shelf.put_values(view.name, [_online(view, each) for each in versions])
            last = versions[-1]
            cursor = Cursor(last.created_at, last.tenant_id, last.entity_id, last.event_time)
            self._store.reached(view, Watermark(cursor, complete=False, as_of=stood.as_of))
            rows += len(versions)
            progress(len(versions))
        end = cursor if rows else stood.cursor
        self._store.reached(view, Watermark(end, complete=True, as_of=looked))
        self._shelf.put_values(view.name, (), as_of=looked)
        return rows


def _online(view: BatchView, version: Version) -> tuple[str, bytes, int]:
    values = Values(version.event_time, dict(zip(view.names, version.values, strict=True)))
    key = row_key(version.tenant_id, shelf_of(view), version.entity_id)
    return key, encode_values(values), view.ttl_days * DAY_S


def beginning(stood: Watermark) -> Cursor:
    """Where a run begins: where the last one was stopped, or somewhat before the last one that was not."""
    if stood.complete:
        return Cursor(max(0, stood.as_of - OVERLAP_MS))
    return stood.cursor


def put_view(store: OfflineStore, putter: Putter, view: StreamView, progress: Progress = no_progress) -> int:
    """Put the row of every entity of a stream view online. Returns how many were refused.

    A refused one was overtaken by the pipeline again and again: its next reader will put it. Raises
    `Unavailable`.
    """
    last = refused = 0
    while found := store.entities(view, last, AT_ONCE):
        refused += putter.put({view.name: [whose for _, whose in found]}, "materialized")
        last = found[-1][0]
        progress(len(found))
    return refused
