"""History into both tiers, with the extraction and the digests of the stream: nothing counts twice.

It may be stopped and begun again, and the stream may have counted some of it, or count some of it later.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from events.avro import SHIPPED, Schemas
from events.errors import Unavailable
from events.timeliness import ANY_AGE
from features.heartbeats import Heartbeat
from features.offline.batch import BACKFILL, BACKFILL_TOPIC, Committed, StreamEvent
from features.pipeline.pushing import Shelf
from features.pipeline.putting import ROWS_AT_ONCE, Putter, Source
from features.pipeline.reading import Record, Skipped, read_record
from features.schema import Definitions
from transport.database import UnstorableError

EVENTS_AT_ONCE = 2_000
ATTEMPTS = 5
"""How often a row is put that the pipeline's own writing overtakes."""

Done = Callable[[int], None]
"""Called with how many more are done."""


class History(Source, Protocol):
    """The offline store, as history is put there."""

    def append_history(self, events: Sequence[StreamEvent]) -> Committed:
        """Count what was not counted yet. Raises `Unavailable`."""

    def positions(self, topic: str) -> dict[int, int]:
        """The next offset of each partition of a topic. Raises `Unavailable`."""


@dataclass(slots=True)
class Report:
    """What became of `records` records; `first` has an example of each cause by which some were skipped."""

    records: int = 0
    counted: int = 0
    duplicates: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    @property
    def idle(self) -> int:
        """Sound events that no feature is made of."""
        return self.records - self.counted - self.duplicates - self.skipped.total()


def count_history(
    records: Iterable[Record],
    definitions: Definitions,
    offline: History,
    schemas: Schemas = SHIPPED,
    done: Done = lambda _: None,
) -> Report:
    """Count records in the offline tier, thousands in a transaction. Raises `Unavailable`."""
    report, remaining = Report(), iter(records)
    while some := list(islice(remaining, EVENTS_AT_ONCE)):
        events = list(_events(some, definitions, schemas, report))
        _append(events, offline, report)
        report.records += len(some)
        done(len(some))
    return report


def put_history(
    definitions: Definitions, offline: History, online: Shelf, done: Callable[[int, int], None]
) -> int:
    """Put online the rows of all whose history came since this was last done; how many there were.

    `done` is called with how many rows of how many. Raises `Unavailable`, also if the online tier has been
    emptied and no pipeline has reported yet how far the stream is.
    """
    position = offline.positions(BACKFILL_TOPIC).get(BACKFILL, 0)
    standing = online.heartbeats().partitions.get(BACKFILL, Heartbeat(0, 0, 0))
    touched = offline.touched_since(BACKFILL_TOPIC, BACKFILL, standing.position)
    rows = sum(map(len, touched.values()))
    putter = Putter({view.name: view for view in definitions.stream_views}, offline, online)
    put = 0
    for view, whose in touched.items():
        for first in range(0, len(whose), ROWS_AT_ONCE):
            some = whose[first : first + ROWS_AT_ONCE]
            if putter.put({view: some}, "behind", ATTEMPTS):
                raise Unavailable(
                    "feature store",
                    "it does not know yet how far the stream is: start `signalbox features pipeline`, then "
                    "backfill again; what is counted stays so",
                )
            put += len(some)
            done(put, rows)
    # moved last: who asks in between is told of less than there is, and whoever is stopped begins anew
    online.append(BACKFILL, standing.position, Heartbeat(position, 0, 0), ())
    return rows


def _events(
    records: Iterable[Record], definitions: Definitions, schemas: Schemas, report: Report
) -> Iterator[StreamEvent]:
    for record in records:
        read = read_record(record, definitions, schemas, ANY_AGE)
        if isinstance(read, Skipped):
            _skip(report, read.cause, f"record {read.offset:,}: {read.reason}")
        elif read is not None:
            yield read


def _append(events: Sequence[StreamEvent], offline: History, report: Report) -> None:
    """Count these; in halves where the database refuses one, until that one is alone."""
    if not events:
        return
    try:
        fresh = len(offline.append_history(events).fresh)
    except UnstorableError as error:
        if len(events) == 1:
            _skip(report, "unstorable", f"record {events[0].offset:,}: {type(error).__name__}")
            return
        middle = len(events) // 2
        _append(events[:middle], offline, report)
        _append(events[middle:], offline, report)
    else:
        report.counted += fresh
        report.duplicates += len(events) - fresh


def _skip(report: Report, cause: str, reason: str) -> None:
    report.skipped[cause] += 1
    report.first.setdefault(cause, reason)
