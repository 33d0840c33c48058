"""The router's net around each record of the source topic: whatever a record holds, it stops no other."""

import logging

from confluent_kafka import Message

from dispatcher.sorting import Sorted, SourceRecord, dead_lettered, sort
from events.avro import SHIPPED, Schemas
from events.decision import Millis
from events.errors import DeadLetter, Unavailable
from events.timeliness import DECLARED, Spans
from routing import Table
from transport.kafka import entered_at, headers_or_fault, position_of

_log = logging.getLogger(__name__)


def take_in(
    message: Message,
    table: Table,
    now: Millis,
    schemas: Schemas = SHIPPED,
    spans: Spans = DECLARED,
) -> Sorted:
    """What becomes of a record that was read at `now` (epoch ms).

    Raises `Unavailable` as `sort` does, and nothing else.
    """
    headers, fault = headers_or_fault(message)
    record = SourceRecord(
        position_of(message), entered_at(message, now), message.key(), message.value(), headers, fault
    )
    try:
        return sort(record, table, now, schemas, spans)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - the net: a record that our code fails on must not stop the others
        _log.exception("%s: a dead letter, for the router failed on it", record.position)
        unexpected = DeadLetter("unexpected", f"{type(error).__name__}: {error}")
        letter = dead_lettered(record, unexpected, table.hash, now)
        return Sorted("dead_letter", (letter,), unexpected.cause)
