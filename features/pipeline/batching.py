"""Batching of one partition's records, and the record from which on they must wait."""

import logging
from collections.abc import Iterable
from typing import NamedTuple

from events.avro import SHIPPED, Schemas
from events.decision import Millis
from events.errors import Unavailable
from events.timeliness import DECLARED, Spans
from features.offline.batch import StreamBatch, StreamEvent
from features.pipeline.reading import Record, Skipped, read_record
from features.pipeline.standing import Stand
from features.schema import Definitions

_log = logging.getLogger(__name__)


class Taken(NamedTuple):
    """`batch` is what came of `records` records; `idle` of them are sound, and no feature is made of them.

    Where `undone` is there, what was read from the batch's end on must be read again.
    """

    batch: StreamBatch
    records: int
    idle: int
    skipped: tuple[Skipped, ...]
    undone: Unavailable | None


def take(
    partition: tuple[str, int],
    stand: Stand,
    records: Iterable[Record],
    definitions: Definitions,
    now: Millis,
    schemas: Schemas = SHIPPED,
    spans: Spans = DECLARED,
) -> Taken:
    """Take apart records in the order of their offsets; those before the stand's position are counted."""
    events: list[StreamEvent] = []
    skipped: list[Skipped] = []
    position, arrived, number = stand.position, stand.as_of, 0
    undone = None
    for record in records:
        if record.offset < position:
            continue
        try:
            read = read_record(record, definitions, schemas, spans)
        except Unavailable as error:
            undone = error
            break
        except Exception as error:  # noqa: BLE001 - the net: one record must not end the counting of all others
            _log.exception("%s[%d]@%d: skipped, for the pipeline failed on it", *partition, record.offset)
            read = Skipped(record.offset, "unexpected", f"{type(error).__name__}: {error}")
        if isinstance(read, StreamEvent):
            events.append(read)
        elif read is not None:
            skipped.append(read)
        position, number = record.offset + 1, number + 1
        arrived = max(arrived, record.entered_at)
    topic, name = partition
    clock = max((event.event_time for event in events), default=0)
    batch = StreamBatch(
        topic,
        name,
        stand.position,
        position,
        # a producer whose clock is ahead must not make what it sends look counted already
        min(arrived, now),
        max(stand.clock, clock),
        events,
    )
    return Taken(batch, number, number - len(events) - len(skipped), tuple(skipped), undone)
