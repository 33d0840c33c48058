"""Events, batches and values for the tests of the offline tier."""

import hashlib
from collections.abc import Sequence
from typing import Any

from events.envelope import Envelope
from features.extraction import increments_of
from features.offline.batch import StreamBatch, StreamEvent
from features.outcomes import outcome_of
from features.retail import DEFINITIONS
from features.stating import statements_of
from features.views import StreamView

TENANT = "acme"
TOPIC = "retail.events"
DAY_MS = 86_400_000
NOW = 1_795_266_000_000


def view_of(name: str) -> StreamView:
    """A stream view of the shop."""
    view = DEFINITIONS.view(name)
    assert isinstance(view, StreamView)
    return view


CUSTOMERS = view_of("customer_orders")
TERMINALS = view_of("terminal_orders")


def event(
    event_type: str, payload: dict[str, Any], *, offset: int, at: int = NOW, name: str = ""
) -> StreamEvent:
    """What the pipeline makes of an event; its id is `name`, or follows from the offset."""
    event_id = name or f"{event_type}-{offset}"
    envelope = Envelope(
        event_id=event_id,
        event_type=event_type,
        source="shop.web",
        version="1.0.0",
        occurred_at=at,
        tenant_id=TENANT,
        payload=payload,
    )
    digest = hashlib.blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return StreamEvent(
        *(digest, at, offset, event_id),
        *(increments_of(envelope, DEFINITIONS), statements_of(envelope, DEFINITIONS)),
        outcome_of(envelope),
    )


def order(
    offset: int,
    *,
    at: int = NOW,
    customer: str = "c-1",
    terminal: str = "t-1",
    amount: float = 10.0,
    name: str = "",
) -> StreamEvent:
    """Somebody orders at a terminal."""
    payload = {"customer_id": customer, "terminal_id": terminal, "amount": amount}
    return event("order.placed", payload, offset=offset, at=at, name=name)


def confirmed(offset: int, *, at: int = NOW, terminal: str = "t-1") -> StreamEvent:
    """It becomes known that an order at a terminal was fraud."""
    payload = {"order_id": f"o-{offset}", "terminal_id": terminal}
    return event("order.fraud_confirmed", payload, offset=offset, at=at)


def batch(
    *events: StreamEvent, base: int = 0, position: int | None = None, partition: int = 0, topic: str = TOPIC
) -> StreamBatch:
    """A batch that ends after its last event."""
    end = position if position is not None else max((each.offset for each in events), default=base - 1) + 1
    newest = max((each.event_time for each in events), default=NOW)
    return StreamBatch(topic, partition, base, end, NOW, newest, events)


def ids(events: Sequence[StreamEvent]) -> list[str]:
    """Their ids."""
    return [each.event_id for each in events]
