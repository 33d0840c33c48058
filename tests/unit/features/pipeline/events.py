"""Events as producers send them, as records of the source and as batches of it."""

from typing import Any

import msgspec

from features.offline.batch import StreamBatch, StreamEvent
from features.pipeline.reading import Record, read_record
from features.retail import DEFINITIONS

TOPIC = "retail.events"
NOON = 1_760_000_400_000
"""Epoch milliseconds: when the events happened, and entered Kafka."""


def order(number: int, at: int = NOON, **payload: Any) -> bytes:
    """An order of customer `c-1` at terminal `t-1` of 12.50."""
    made = {
        "order_id": f"o-{number}",
        "customer_id": "c-1",
        "terminal_id": "t-1",
        "amount": 12.5,
        "currency": "GBP",
    }
    return event(f"e-{number}", "order.placed", at, **(made | payload))


def event(event_id: str, event_type: str, at: int = NOON, **payload: Any) -> bytes:
    """An envelope around a payload."""
    return msgspec.json.encode(
        {
            "event_id": event_id,
            "event_type": event_type,
            "source": "till",
            "version": "1.0.0",
            "occurred_at": at,
            "tenant_id": "acme",
            "payload": payload,
        }
    )


def record(offset: int, value: bytes | None, entered_at: int = NOON) -> Record:
    """A record without headers."""
    return Record(offset, entered_at, value, None)


def read(offset: int, value: bytes) -> StreamEvent:
    """What a sound record of which features are made adds."""
    found = read_record(record(offset, value), DEFINITIONS)
    assert isinstance(found, StreamEvent)
    return found


def batch(base: int, *values: bytes, partition: int = 0, as_of: int = NOON) -> StreamBatch:
    """These events, from offset `base` of a partition on."""
    events = [read(offset, value) for offset, value in enumerate(values, start=base)]
    clock = max((each.event_time for each in events), default=0)
    return StreamBatch(TOPIC, partition, base, base + len(values), as_of, clock, events)
