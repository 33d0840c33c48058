"""The orders that every benchmark plays, and the feature rows that they need. Seeded."""

import random
from collections.abc import Iterator

import msgspec

from events.decision import Millis
from features.online import EntityKey, FeatureRow
from models.fraud import CUSTOMER_FEATURES, TERMINAL_FEATURES

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


def feature_rows(event_time: Millis, seed: int = 7) -> Iterator[tuple[EntityKey, FeatureRow]]:
    """One row for each customer and terminal that an order may name."""
    rng = random.Random(seed)
    for entity, count, names in (
        ("customer", CUSTOMERS, CUSTOMER_FEATURES),
        ("terminal", TERMINALS, TERMINAL_FEATURES),
    ):
        for number in range(count):
            values = {name: round(rng.random() * 50, 3) for name in names}
            yield EntityKey(TENANT, entity, f"{entity[0]}-{number}"), FeatureRow(event_time, values)
