"""Seeded events of forty days, shuffled within an hour and some sent twice; and what their features are.

What they are is said a second time here, feature by feature and by hand, so that the store is held against
something that it has no part in.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

import msgspec

DAY_S = 86_400
DAYS = 40
HOUR_MS = 3_600_000
LABEL_DELAY_S = 7 * DAY_S
CUSTOMERS, TERMINALS, SKUS, TICKETS = 300, 60, 40, 200
TWICE = 0.04
"""The share of events that their producer sends a second time, half of them to whatever partition."""


class Sent(NamedTuple):
    """One event on its way: its key, and what it says."""

    key: str
    event: dict[str, Any]

    @property
    def value(self) -> bytes:
        """Its bytes."""
        return msgspec.json.encode(self.event)


def sent(seed: int, count: int, tenant: str, until: int) -> Iterator[Sent]:
    """`count` events that happened in the `DAYS` before `until` (epoch ms), in the order of their sending."""
    rng = random.Random(seed)
    first = until - DAYS * DAY_S * 1_000
    made = [_event(rng, number, rng.randrange(first, until), tenant) for number in range(count)]
    made += [label for each in made if (label := _label(rng, each, until))]
    made.sort(key=lambda each: int(each.event["occurred_at"]) + rng.randrange(HOUR_MS))
    again: dict[int, list[Sent]] = defaultdict(list)
    for place, each in enumerate(made):
        yield each
        if rng.random() < TWICE:
            key = each.key if rng.random() < 0.5 else str(rng.random())
            again[place + rng.randrange(1, 2_000)].append(Sent(key, each.event))
        yield from again.pop(place, ())
    for late in again.values():
        yield from late


def _event(rng: random.Random, number: int, at: int, tenant: str) -> Sent:
    customer = f"c-{rng.randrange(CUSTOMERS)}"
    event_type, payload = _payload(rng, number, customer)
    return _sent(f"e-{number}", event_type, at, tenant, customer, payload)


def _payload(rng: random.Random, number: int, customer: str) -> tuple[str, dict[str, Any]]:
    chance = rng.random()
    if chance < 0.7:
        payload: dict[str, Any] = {
            "order_id": f"o-{number}",
            "customer_id": customer,
            "terminal_id": f"t-{rng.randrange(TERMINALS)}",
            "amount": round(rng.lognormvariate(3.5, 0.9), 2),
            "currency": "GBP",
        }
        if rng.random() < 0.4:
            payload["items"] = [
                {
                    "sku": f"s-{rng.randrange(SKUS)}",
                    "quantity": rng.randrange(1, 5),
                    "unit_price": rng.randrange(50, 2_000) / 100,
                }
                for _ in range(rng.randrange(1, 4))
            ]
        return "order.placed", payload
    if chance < 0.9:
        return "page.viewed", {"session_id": f"v-{number}", "url": "/", "customer_id": customer}
    if chance < 0.95:
        ticket = f"k-{rng.randrange(TICKETS)}"
        return "support.ticket.escalated", {"ticket_id": ticket, "customer_id": customer}
    if chance < 0.97:
        return "order.returned", {"order_id": f"o-{rng.randrange(number + 1)}", "customer_id": customer}
    if chance < 0.99:
        return "support.ticket.opened", {"ticket_id": f"k-{number}", "customer_id": customer}
    return "inventory.updated", {"sku": f"s-{rng.randrange(SKUS)}", "quantity": 5}


def _label(rng: random.Random, order: Sent, until: int) -> Sent | None:
    """Seven days after one order in ten or so; some come later."""
    if order.event["event_type"] != "order.placed" or rng.random() > 0.1:
        return None
    at = int(order.event["occurred_at"]) + LABEL_DELAY_S * 1_000
    if rng.random() < 0.2:
        at += rng.randrange(3 * DAY_S * 1_000)
    if at >= until:
        return None
    payload = {name: order.event["payload"][name] for name in ("order_id", "customer_id", "terminal_id")}
    event_id = f"{order.event['event_id']}-fraud"
    return _sent(event_id, "order.fraud_confirmed", at, order.event["tenant_id"], order.key, payload)


def _sent(event_id: str, event_type: str, at: int, tenant: str, key: str, payload: dict[str, Any]) -> Sent:
    event = {
        "event_id": event_id,
        "event_type": event_type,
        "source": "fault-run",
        "version": "1.0.0",
        "occurred_at": at,
        "tenant_id": tenant,
        "payload": payload,
    }
    return Sent(key, event)


@dataclass
class Batch:
    """All events at once, each once: by whom they are about, in epoch seconds."""

    orders: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    at_terminal: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    frauds: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    visits: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    escalated: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    tickets: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    returned: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    asked: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    sold: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    priced: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, event: dict[str, Any]) -> None:
        """Take one event that was not there yet."""
        second, payload = int(event["occurred_at"]) // 1_000, event["payload"]
        match event["event_type"]:
            case "order.placed":
                self.orders[payload["customer_id"]].append((second, round(payload["amount"] * 100)))
                self.at_terminal[payload["terminal_id"]].append(second)
                for item in payload.get("items", ()):
                    self.sold[item["sku"]].append((second // DAY_S, item["quantity"]))
                    self.priced[item["sku"]].append((second // DAY_S, round(item["unit_price"] * 100)))
            case "order.fraud_confirmed":
                self.frauds[payload["terminal_id"]].append(second)
            case "page.viewed":
                self.visits[payload["customer_id"]].append(second)
            case "support.ticket.escalated":
                self.escalated[payload["customer_id"]].append(second)
                self.tickets[payload["ticket_id"]].append(second)
            case "order.returned":
                self.returned[payload["customer_id"]].append(second)
            case "support.ticket.opened":
                self.asked[payload["customer_id"]].append(second)

    def entities(self) -> dict[str, list[str]]:
        """Everybody that an event was about, by view."""
        return {
            "customer_orders": sorted(self.orders),
            "terminal_orders": sorted(self.at_terminal.keys() | self.frauds.keys()),
            "customer_activity": sorted(self.visits),
            "customer_support": sorted(self.escalated),
            "customer_complaints": sorted(self.returned.keys() | self.asked.keys()),
            "ticket_history": sorted(self.tickets),
            "sku_demand": sorted(self.sold),
            "sku_prices": sorted(self.priced),
        }

    def values(self, view: str, entity: str, at: int) -> dict[str, float]:
        """Every feature of an entity at a time (epoch ms)."""
        now = at // 1_000
        match view:
            case "customer_orders":
                return _of_customer(self.orders[entity], now)
            case "terminal_orders":
                return _of_terminal(self.at_terminal[entity], self.frauds[entity], now)
            case "customer_activity":
                return {"session_recency": _since(self.visits[entity], now)}
            case "customer_support":
                return {"prev_escalations": float(len(_between(self.escalated[entity], 0, now)))}
            case "customer_complaints":
                begin = _edge(now, 90)
                return {
                    "customer_returns_90d": float(len(_between(self.returned[entity], begin, now))),
                    "customer_tickets_90d": float(len(_between(self.asked[entity], begin, now))),
                }
            case "ticket_history":
                return {"ticket_escalations": float(len(_between(self.tickets[entity], 0, now)))}
            case "sku_demand":
                today = now // DAY_S
                return {
                    f"demand_{days}d": float(
                        sum(pieces for day, pieces in self.sold[entity] if today - days <= day < today)
                    )
                    for days in (1, 7, 28)
                }
            case "sku_prices":
                return {"mean_price_28d": _mean_price(self.priced[entity], now // DAY_S)}
        raise KeyError(view)


def _of_customer(orders: Sequence[tuple[int, int]], now: int) -> dict[str, float]:
    before = [(second, cents) for second, cents in orders if second < now]
    values: dict[str, float] = {}
    for days in (1, 7, 30):
        paid = [cents for second, cents in before if second >= _edge(now, days)]
        values[f"customer_count_{days}d"] = float(len(paid))
        values[f"customer_mean_amount_{days}d"] = float(Fraction(sum(paid), 100 * len(paid))) if paid else 0.0
    values["lifetime_value"] = float(Fraction(sum(cents for _, cents in before), 100))
    values["order_count"] = float(len(before))
    last = _since([second for second, _ in before], now)
    values["days_since_last_order"] = last / DAY_S if last >= 0 else -1.0
    return values


def _edge(now: int, days: int) -> int:
    """Where a window begins or ends, so many days back: at whole minutes or hours of that age."""
    width = 300 if days <= 1 else 3_600 if days <= 8 else 14_400
    return (now - days * DAY_S) // width * width


def _mean_price(lines: Sequence[tuple[int, int]], today: int) -> float:
    cents = [price for day, price in lines if today - 28 <= day < today]
    return float(Fraction(sum(cents), 100 * len(cents))) if cents else 0.0


def _of_terminal(orders: Sequence[int], frauds: Sequence[int], now: int) -> dict[str, float]:
    values: dict[str, float] = {}
    for days in (1, 7, 30):
        count = len(_between(orders, _edge(now, 7 + days), _edge(now, 7)))
        confirmed = len(_between(frauds, _edge(now, days), now))
        values[f"terminal_count_{days}d"] = float(count)
        values[f"terminal_risk_{days}d"] = min(1.0, confirmed / count) if count else 0.0
    return values


def _between(seconds: Sequence[int], begin: int, end: int) -> list[int]:
    return [second for second in seconds if begin <= second < end]


def _since(seconds: Sequence[int], now: int) -> float:
    """Seconds since the last of them; -1 if there was none."""
    before = _between(seconds, 0, now)
    return float(now - max(before)) if before else -1.0
