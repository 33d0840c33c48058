"""Which entities does a read that found most rows online go without, while SQL is away?

A row online is absent or complete. Where most rows of a read are there, one that is not is nearly always that
of somebody new: it is said to be missing and stale, which its model's contract has an answer for, and the
others' events do not wait. Where most lack, Redis has lost them: then whoever asks waits for SQL.
"""

import time
from collections.abc import Callable, Sequence

from events.errors import Unavailable
from features.reading import BatchRows, Of, Rows, RowSource
from features.views import BatchView, StreamView

ASK_AGAIN_S = 2.0
"""A database that hangs costs one read its timeout, and not every read."""


class Outage:
    """Whether SQL was away a moment ago. Lives as long as its reader."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._until = 0.0
        self._reason: Unavailable | None = None

    def began(self, reason: Unavailable) -> None:
        """A query met it now."""
        self._until, self._reason = self._monotonic() + ASK_AGAIN_S, reason

    @property
    def known(self) -> Unavailable | None:
        """What is to be said without asking again."""
        return self._reason if self._monotonic() < self._until else None


class Leaning:
    """A `RowSource` for one read, which knows nobody while SQL is away. `gave_up` says of which views."""

    def __init__(self, source: RowSource, outage: Outage) -> None:
        self._source = source
        self._outage = outage
        self.gave_up: set[str] = set()

    def rows(self, view: StreamView, keys: Sequence[Of], *, folded: bool = True) -> Rows:
        """As SQL says. Raises `Unavailable` where it is away and more than the newest is asked for."""
        if not folded:
            return self._source.rows(view, keys, folded=False)
        if self._outage.known is None:
            try:
                return self._source.rows(view, keys)
            except Unavailable as error:
                self._outage.began(error)
        self.gave_up.add(view.name)
        return Rows({}, {})

    def batch_rows(self, view: BatchView, keys: Sequence[Of]) -> BatchRows:
        """As SQL says, or nothing."""
        if self._outage.known is None:
            try:
                return self._source.batch_rows(view, keys)
            except Unavailable as error:
                self._outage.began(error)
        self.gave_up.add(view.name)
        return BatchRows({}, None)


def mostly(stored: Sequence[bytes | None]) -> bool:
    """Whether at least half of the rows that were asked for stood online."""
    return 2 * stored.count(None) <= len(stored)


def alone(source: RowSource, view: StreamView | BatchView) -> bool:
    """Whether this read goes without SQL for a view."""
    return isinstance(source, Leaning) and view.name in source.gave_up
