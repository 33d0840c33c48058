"""A batch into the offline store, and what is left of it where one of its events is what stops it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple, Protocol

from events.decision import Millis
from events.errors import Unavailable
from features.offline.batch import Committed, StreamBatch, StreamEvent
from features.offline.tables import OFFLINE_STORE
from features.pipeline.reading import Skipped
from transport.database import UnstorableError


class Ledger(Protocol):
    """The offline store, as far as it is written."""

    def commit(self, batch: StreamBatch) -> Committed:
        """Take over a batch and the position after it, or nothing at all.

        Raises `Fenced` if another member has counted beyond `batch.base`, and `Unavailable`.
        """


class Counted(NamedTuple):
    """What the offline store has now: a batch, and those of its events that were no duplicates."""

    batch: StreamBatch
    fresh: tuple[StreamEvent, ...]
    skipped: tuple[Skipped, ...] = ()


def count(ledger: Ledger, batch: StreamBatch, as_of_before: Millis) -> Iterator[Counted]:
    """Commit a batch, in parts where its database refuses one event of it; that one is skipped.

    All that arrived up to `as_of_before` (epoch ms) was counted before. Raises as `Ledger.commit`, after the
    parts that are named already; `Unavailable` also if the database takes not even an empty batch.
    """
    try:
        committed = ledger.commit(batch)
    except UnstorableError as error:
        if not batch.events:
            raise _no_events_fault(error) from error
        if len(batch.events) == 1:
            (event,) = batch.events
            _pass_over(ledger, batch)
            reason = f"{event.event_id[:64]!r}: {type(error).__name__}: {str(error)[:300]}"
            yield Counted(batch, (), (Skipped(event.offset, "unstorable", reason),))
        else:
            first, second = halves(batch, as_of_before)
            yield from count(ledger, first, as_of_before)
            yield from count(ledger, second, as_of_before)
    else:
        yield Counted(batch, tuple(committed.fresh))


def _pass_over(ledger: Ledger, batch: StreamBatch) -> None:
    try:
        ledger.commit(replace(batch, events=[]))
    except UnstorableError as error:
        raise _no_events_fault(error) from error


def _no_events_fault(error: UnstorableError) -> Unavailable:
    """What is waited for is neither skipped nor lost."""
    return Unavailable(OFFLINE_STORE, error)


def halves(batch: StreamBatch, as_of_before: Millis) -> tuple[StreamBatch, StreamBatch]:
    """Two batches that follow each other, with half of the events each. There must be two or more."""
    middle = len(batch.events) // 2
    border = batch.events[middle].offset
    return (
        # that all is counted which arrived until the batch ends is true of the second alone
        replace(batch, position=border, as_of=as_of_before, events=batch.events[:middle]),
        replace(batch, base=border, events=batch.events[middle:]),
    )
