"""A valid event of each type."""

from typing import Any

_ITEM = {"sku": "sku-81", "quantity": 2, "unit_price": 64.95}

PAYLOADS: dict[str, dict[str, Any]] = {
    "order.placed": {
        "order_id": "o-1001",
        "customer_id": "c-17",
        "terminal_id": "t-9",
        "amount": 129.9,
        "currency": "EUR",
        "device": "mobile",
        "location": {"country": "DE", "city": "Köln"},
        "category": "toys",
        "items": [_ITEM],
    },
    "order.fraud_confirmed": {"order_id": "o-1001", "customer_id": "c-17", "terminal_id": "t-9"},
    "order.returned": {"order_id": "o-1001", "customer_id": "c-17", "reason": "too small", "items": [_ITEM]},
    "refund.requested": {
        "refund_id": "r-5",
        "order_id": "o-1001",
        "customer_id": "c-17",
        "amount": 64.95,
        "currency": "EUR",
    },
    "cart.updated": {"cart_id": "k-3", "customer_id": "c-17", "items": [_ITEM]},
    "page.viewed": {"session_id": "s-44", "url": "https://shop.example/p/81", "sku": "sku-81"},
    "clickstream.raw": {"session_id": "s-44", "action": "scroll", "x": 12, "y": 840},
    "inventory.updated": {"sku": "sku-81", "quantity": -3, "store_id": "store-2"},
    "inventory.restock_requested": {"sku": "sku-81", "store_id": "store-2", "horizon_days": 14},
    "customer.inactive": {"customer_id": "c-17", "inactive_days": 60},
    "support.ticket.opened": {"ticket_id": "t-301", "customer_id": "c-17", "subject": "Where is my order?"},
    "support.ticket.resolved": {"ticket_id": "t-301", "resolution": "delivered"},
    "support.ticket.escalated": {"ticket_id": "t-301", "customer_id": "c-17", "reason": "no answer"},
    "nightly.forecast.trigger": {"forecast_date": "2026-11-22", "horizon_days": 28},
    "nightly.forecast.requested": {"forecast_date": "2026-11-22", "sku": "sku-81"},
    "nightly.forecast.completed": {
        "forecast_date": "2026-11-22",
        "planned": 10_000,
        "forecast": 9_999,
        "failed": 1,
        "unanswered": 0,
        "duration_s": 1_512.5,
        "within_sla": True,
    },
    "dataset.updated": {
        "model_id": "fraud-classifier",
        "dataset_version": "2026-11-21",
        "rows_added": 1_754_155,
        "triggered_at": 1_795_266_000_000,
    },
}


def envelope(event_type: str, event_id: str, occurred_at: int = 1_795_266_000_000) -> dict[str, Any]:
    """A valid event, ready for `json.dumps`. `occurred_at` is in epoch milliseconds."""
    return {
        "event_id": event_id,
        "event_type": event_type,
        "source": "shop.web",
        "version": "1.0.0",
        "occurred_at": occurred_at,
        "tenant_id": "retailpulse",
        "payload": PAYLOADS[event_type],
    }
