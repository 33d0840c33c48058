"""An order as the shop may one day write it: a second major version, and the way to it from the first."""

from typing import Any, Literal

from events.contract import Contract, Payload
from events.retail import PAYLOADS, Amount, Currency, Id, Items, OrderPlaced
from events.retail import Payload as Model


class Money(Model):
    amount: Amount
    currency: Currency


class Place(Model):
    country: str | None = None
    city: str | None = None


class SecondOrderPlaced(Model):
    """The sum with its currency in one, a place that is always an object, and where the order came from."""

    order_id: Id
    customer_id: Id
    terminal_id: Id
    total: Money
    channel: Literal["web", "app", "till", "unknown"]
    location: Place | None = None
    category: str | None = None
    items: Items | None = None


CHANNELS = {"desktop": "web", "mobile": "app", "pos": "till"}


def second(payload: Payload) -> dict[str, Any]:
    """What the first version said, as the second one says it."""
    raised = dict(payload)
    raised["total"] = {"amount": raised.pop("amount"), "currency": raised.pop("currency")}
    device = raised.pop("device", None)
    kind = device.get("kind") if isinstance(device, dict) else device
    raised["channel"] = CHANNELS.get(str(kind), "unknown")
    if isinstance(place := raised.get("location"), str):
        raised["location"] = {"city": place}
    return raised


def contract(**changes: Any) -> Contract:
    """The shipped one with the second version of an order."""
    payloads = {**PAYLOADS, "order.placed": {1: OrderPlaced, 2: SecondOrderPlaced}}
    said: dict[str, Any] = {"payloads": payloads, "upcasters": {"order.placed": {1: second}}, **changes}
    return Contract(**said)
