"""The orders that every benchmark plays. Seeded."""

import random

import msgspec

from events.decision import Millis

TENANT = "retailpulse"
CUSTOMERS = 5_000
TERMINALS = 10_000


def order(
    number: int, run: str, occurred_at: Millis, rng: random.Random, event_type: str = "order.placed"
) -> tuple[bytes, bytes]:
    """The key and the value of one order; under another type it holds what that type requires too."""
    customer = f"c-{rng.randrange(CUSTOMERS)}"
    event = {
        "event_id": f"{run}-{number}",
        "event_type": event_type,
        "source": "benchmark",
        "version": "1.0.0",
        "occurred_at": occurred_at,
        "tenant_id": TENANT,
        "payload": {
            "order_id": f"o-{run}-{number}",
            "refund_id": f"r-{run}-{number}",
            "customer_id": customer,
            "terminal_id": f"t-{rng.randrange(TERMINALS)}",
            "amount": round(rng.lognormvariate(3.5, 0.9), 2),
            "currency": "GBP",
            "device": rng.choice(("web", "ios", "android", "till")),
            "category": rng.choice(("grocery", "clothing", "home", "toys")),
        },
    }
    return customer.encode(), msgspec.json.encode(event)
