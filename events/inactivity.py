"""The event that reports an inactive customer. Its id is derived: found twice, it is one event."""

from events.decision import Millis
from events.envelope import Envelope
from events.identity import derived_id

SOURCE = "signalbox/inactivity"
INACTIVE = "customer.inactive"
DAY_MS = 86_400_000


def became_inactive(tenant_id: str, customer_id: str, last_seen_at: Millis, after_days: int) -> Envelope:
    """Of a customer who ordered last at `last_seen_at` (epoch ms), and nothing for `after_days` from then on.

    A spell begins with the last order, and has one event. It happened when the days were over, not when it
    was found: all of it follows from the spell, byte for byte, and features are those of that moment.
    """
    return Envelope(
        event_id=derived_id("inactive", tenant_id, customer_id, str(last_seen_at)),
        event_type=INACTIVE,
        source=SOURCE,
        version="1.0.0",
        occurred_at=last_seen_at + after_days * DAY_MS,
        tenant_id=tenant_id,
        payload={"customer_id": customer_id, "inactive_days": after_days, "last_seen_at": last_seen_at},
    )
