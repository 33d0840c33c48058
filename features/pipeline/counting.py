"""A batch into the offline store, and what is left of it where one of its events is what stops it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple, Protocol

from sqlalchemy.exc import DataError

from events.decision import Millis
from features.offline.batch import Committed, StreamBatch, StreamEvent
from features.pipeline.reading import Skipped

POISON = (DataError, OverflowError, UnicodeError)
"""What a database says of a value that it can never hold. That a table is missing is not among it."""


class Ledger(Protocol):
    """The offline store, as far as it is written."""

    def commit(self, batch: StreamBatch) -> Committed:
        """Take over a batch and the position after it, or nothing at all.

        Raises `Fenced` where another member has counted beyond `batch.base`, and `Unavailable`.
        """


class Counted(NamedTuple):
    """What stands in the offline store now: a batch, and those of its events that were no duplicates."""

    batch: StreamBatch
    fresh: tuple[StreamEvent, ...]
    skipped: tuple[Skipped, ...] = ()


def count(ledger: Ledger, batch: StreamBatch, as_of_before: Millis) -> Iterator[Counted]:
    """Commit a batch, in parts where its database refuses one event of it; that one is skipped.

    All that arrived up to `as_of_before` (epoch ms) was counted before. Raises as `Ledger.commit`, after the
    parts that are named already; and what the database says where it takes not even an empty batch.
    """
    try:
        committed = ledger.commit(batch)
    except POISON as error:
        if not batch.events:
            raise
        if len(batch.events) == 1:
            (event,) = batch.events
            ledger.commit(replace(batch, events=[]))
            reason = f"{event.event_id[:64]!r}: {type(error).__name__}: {str(error)[:300]}"
            yield Counted(batch, (), (Skipped(event.offset, "unstorable", reason),))
        else:
            first, second = halves(batch, as_of_before)
            yield from count(ledger, first, as_of_before)
            yield from count(ledger, second, as_of_before)
    else:
        yield Counted(batch, tuple(committed.fresh))


def halves(batch: StreamBatch, as_of_before: Millis) -> tuple[StreamBatch, StreamBatch]:
    """Two batches that follow each other, with half of the events each. There must be two or more."""
    middle = len(batch.events) // 2
    border = batch.events[middle].offset
    return (
        # that all is counted which arrived until the batch ends is true of the second alone
        replace(batch, position=border, as_of=as_of_before, events=batch.events[:middle]),
        replace(batch, base=border, events=batch.events[middle:]),
    )
