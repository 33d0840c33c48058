"""What happened at RetailPulse before the first day that is played: to train on, and for its features."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from heapq import merge
from operator import attrgetter

from events.decision import Millis
from features.retail import LABEL_DELAY_DAYS
from stack.emission import Emission, Event, in_form
from stack.retail import CURRENCY, SOURCE, TENANT, Order, Retail, days_before, numbered
from training.transactions import DAY_S, Transaction, day_number

LABEL = "order.fraud_confirmed"
DAYS = 56
"""Two weeks to train on, one that waits for its labels, one to measure on, and four of past before them."""
TRAIN_DAYS = 14


def history(retail: Retail, until: date, days: int = DAYS) -> Iterator[Transaction]:
    """The orders of the last `days` days before `until`, by time, each with its label."""
    for day in days_before(until, days):
        midnight = day_number(day) * DAY_S
        for order in retail.orders(day):
            yield Transaction(
                midnight + order.second, order.customer, order.terminal, order.cents, order.scenario > 0
            )


def past_events(retail: Retail, until: date, days: int = DAYS) -> Iterator[Emission]:
    """The same orders as events, and the labels that became known of them before `until`, by time."""
    waiting: deque[list[Emission]] = deque([[]] * LABEL_DELAY_DAYS)
    for day in days_before(until, days):
        orders = retail.orders(day)
        placed = [_placed(order, day, number) for number, order in enumerate(orders)]
        waiting.append(labels_of(orders, day))
        yield from merge(placed, waiting.popleft(), key=attrgetter("at"))


def labels_of(orders: Sequence[Order], day: date) -> list[Emission]:
    """What becomes known of the orders of `day`, `LABEL_DELAY_DAYS` later, by time."""
    return [_label(order, day, number) for number, order in enumerate(orders) if order.scenario]


def _placed(order: Order, day: date, number: int) -> Emission:
    payload = {
        "order_id": numbered("o", day, number),
        "customer_id": order.customer,
        "terminal_id": order.terminal,
        "amount": order.cents / 100,
        "currency": CURRENCY,
    }
    sent = _sent("order.placed", numbered("order", day, number), _moment(order, day), payload)
    return replace(sent, fraud=int(order.scenario))


def _label(order: Order, day: date, number: int) -> Emission:
    payload = {
        "order_id": numbered("o", day, number),
        "customer_id": order.customer,
        "terminal_id": order.terminal,
    }
    known = _moment(order, day + timedelta(days=LABEL_DELAY_DAYS))
    # no route names it: only the features learn of it
    return replace(_sent(LABEL, numbered("fraud", day, number), known, payload), fate="ignored")


def _sent(event_type: str, event_id: str, at: Millis, payload: Mapping[str, object]) -> Emission:
    event = Event(
        event_id=event_id,
        event_type=event_type,
        source=SOURCE,
        occurred_at=at,
        tenant_id=TENANT,
        payload=payload,
    )
    value, headers = in_form(event, "json")
    return Emission(at, event_id, str(payload["customer_id"]).encode(), value, headers)


def _moment(order: Order, day: date) -> Millis:
    return (day_number(day) * DAY_S + order.second) * 1_000
