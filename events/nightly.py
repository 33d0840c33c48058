"""The events that a nightly forecast is made of. Their ids are derived: twice the same is one."""

from collections.abc import Mapping
from datetime import date

from events.decision import Millis
from events.envelope import Envelope
from events.identity import derived_id

SOURCE = "signalbox/nightly"
TRIGGER = "nightly.forecast.trigger"
REQUESTED = "nightly.forecast.requested"
COMPLETED = "nightly.forecast.completed"

HORIZON_DAYS = 7
"""How many days a forecast is for if the event names no `horizon_days`: the night's own day is the first."""
LONGEST_DAYS = 28
"""The longest horizon. A forecast is made of so many days at once, so that any horizon is cut out of it."""


def trigger(tenant_id: str, night: date, now: Millis) -> Envelope:
    """Begins a night. There is one for each tenant and night, by any sender and however often."""
    payload = {"forecast_date": night.isoformat()}
    return _event(derived_id("night", tenant_id, night.isoformat()), TRIGGER, tenant_id, now, payload)


def requested(
    tenant_id: str, night: date, sku: str, now: Millis, horizon_days: int | None = None
) -> Envelope:
    """Asks for one SKU's forecast of a night; for so many days, or as many as are usual."""
    name: tuple[str, ...] = ("forecast", tenant_id, night.isoformat(), sku)
    payload: dict[str, object] = {"forecast_date": night.isoformat(), "sku": sku}
    if horizon_days is not None:
        # another horizon is another answer
        name, payload = (*name, str(horizon_days)), {**payload, "horizon_days": horizon_days}
    event_id = derived_id(*name)
    return _event(event_id, REQUESTED, tenant_id, now, payload)


def completed(tenant_id: str, night: date, report: Mapping[str, object], ended_at: Millis) -> Envelope:
    """Says that a night has ended at a time (epoch ms), and how.

    A night that was taken up again ends again, with another report: that is another event.
    """
    event_id = derived_id("night-end", tenant_id, night.isoformat(), str(ended_at))
    return _event(event_id, COMPLETED, tenant_id, ended_at, {"forecast_date": night.isoformat(), **report})


def _event(
    event_id: str, event_type: str, tenant_id: str, now: Millis, payload: Mapping[str, object]
) -> Envelope:
    return Envelope(
        event_id=event_id,
        event_type=event_type,
        source=SOURCE,
        version="1.0.0",
        occurred_at=now,
        tenant_id=tenant_id,
        payload=dict(payload),
    )
