"""Payloads of RetailPulse's traffic, for each event type that it plays."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from stack.retail import CURRENCY, Order

Payload = dict[str, Any]

SKUS = 120
"""A small catalogue: a demonstration's night is over while its day is played."""

WHOLESALE_PRICE = 25.0

_DEVICES = ("web", "ios", "android", "till")
_CATEGORIES = ("grocery", "clothing", "home", "toys", "garden")
_CITIES = ("London", "Leeds", "Bristol", "Glasgow", "Cardiff")
_REASONS = ("too small", "damaged", "not as described", "changed my mind")


def order_placed(order_id: str, order: Order, rng: random.Random) -> Payload:
    """An order of one product."""
    return {
        "order_id": order_id,
        "customer_id": order.customer,
        "terminal_id": order.terminal,
        "amount": order.cents / 100,
        "currency": CURRENCY,
        "device": rng.choice(_DEVICES),
        "location": {"city": rng.choice(_CITIES)},
        "category": rng.choice(_CATEGORIES),
        "items": items_of(order.cents, rng),
    }


def items_of(cents: int, rng: random.Random) -> list[Payload]:
    """One to three pieces of one product, for so much in all."""
    quantity = rng.randrange(1, 4)
    sku, price = _sku(rng), round(cents / 100 / quantity, 2)
    return [{"sku": sku, "quantity": quantity, "unit_price": price, "category": category_of(sku)}]


def wholesale(orders: int, rng: random.Random) -> list[Payload]:
    """What so many orders bring together: a line for each product."""
    pieces: Counter[str] = Counter()
    for _ in range(orders):
        pieces[_sku(rng)] += rng.randrange(1, 4)
    return [
        {
            "sku": sku,
            "quantity": quantity,
            "unit_price": WHOLESALE_PRICE,
            "category": category_of(sku),
        }
        for sku, quantity in pieces.items()
    ]


def category_of(sku: str) -> str:
    """A product's category, the same on every day: by the number in its name."""
    return _CATEGORIES[int(sku.rpartition("-")[2]) % len(_CATEGORIES)]


def _sku(rng: random.Random) -> str:
    # the lower its number, the more often it is bought
    return f"sku-{int(SKUS * rng.random() ** 2)}"


def _order_returned(order: Order, rng: random.Random) -> Payload:
    earlier = f"o-earlier-{rng.randrange(100_000)}"
    return {"order_id": earlier, "customer_id": order.customer, "reason": rng.choice(_REASONS)}


def _page_viewed(order: Order, rng: random.Random) -> Payload:
    sku = _sku(rng)
    return {
        "session_id": f"s-{rng.randrange(10**9)}",
        "url": f"https://shop.example/{sku}",
        "customer_id": order.customer,
        "sku": sku,
    }


def _cart_updated(order: Order, rng: random.Random) -> Payload:
    return {
        "cart_id": f"cart-{rng.randrange(10**9)}",
        "customer_id": order.customer,
        "items": items_of(order.cents, rng),
    }


def _restock_requested(order: Order, rng: random.Random) -> Payload:
    return {
        "sku": _sku(rng),
        "store_id": order.terminal,
        "quantity": rng.randrange(1, 500),
        "horizon_days": 14,
    }


def _customer_inactive(order: Order, rng: random.Random) -> Payload:
    return {"customer_id": order.customer, "inactive_days": rng.randrange(30, 200)}


def _ticket_opened(order: Order, rng: random.Random) -> Payload:
    return {
        "ticket_id": f"ticket-{rng.randrange(10**9)}",
        "customer_id": order.customer,
        "subject": "May I have it in blue?",
    }


def _ticket_resolved(order: Order, rng: random.Random) -> Payload:
    return {
        "ticket_id": f"ticket-{rng.randrange(10**9)}",
        "customer_id": order.customer,
        "resolution": "told them when it comes",
    }


def _points_earned(order: Order, rng: random.Random) -> Payload:
    return {"customer_id": order.customer, "points": rng.randrange(1, 100)}


Maker = Callable[[Order, random.Random], Payload]

BESIDE: dict[str, tuple[float, Maker]] = {
    "page.viewed": (0.5, _page_viewed),
    "cart.updated": (0.2, _cart_updated),
    "order.returned": (0.05, _order_returned),
    "inventory.restock_requested": (0.02, _restock_requested),
    "customer.inactive": (0.01, _customer_inactive),
    "support.ticket.opened": (0.02, _ticket_opened),
    "support.ticket.resolved": (0.015, _ticket_resolved),
}
"""Beside each order: how often an event of this type comes (0 to 1), and what it holds."""

UNDECLARED: dict[str, tuple[float, Maker]] = {"loyalty.points_earned": (0.01, _points_earned)}
"""A team began to send these unannounced."""
