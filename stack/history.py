"""What happened at RetailPulse before the first day that is played: to train on, and for its features."""

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from heapq import merge
from operator import attrgetter
from typing import TYPE_CHECKING

from features.retail import LABEL_DELAY_DAYS
from stack.assortment import items_of, wholesale
from stack.confirmed import labels_of, moment, sent
from stack.emission import Emission
from stack.retail import CURRENCY, Order, Retail, days_before, midnight, numbered

if TYPE_CHECKING:
    from training.transactions import Transaction

DAYS = 56
"""Two weeks to train on, one that waits for its labels, one to measure on, and four of past before them."""
TRAIN_DAYS = 14
SALES_DAYS = 126
"""With the others half a year of sales: what a forecaster of demand is fitted and measured on."""
ORDERS_A_DAY = 2_500


def history(retail: Retail, until: date, days: int = DAYS) -> "Iterator[Transaction]":
    """The orders of the last `days` days before `until`, by time, each with its label."""
    # not above: the events of the past are made, and played on, if nothing is installed to train with
    from training.transactions import Transaction

    for day in days_before(until, days):
        begin = midnight(day)
        for order in retail.orders(day):
            yield Transaction(
                begin + order.second, order.customer, order.terminal, order.cents, order.scenario > 0
            )


def past_events(retail: Retail, until: date, days: int = DAYS) -> Iterator[Emission]:
    """The same orders as events, and the labels that became known of them before `until`, by time."""
    waiting: deque[list[Emission]] = deque([[]] * LABEL_DELAY_DAYS)
    for day in days_before(until, days):
        orders = retail.orders(day)
        rng = random.Random(f"{retail.seed}/past/{day}")  # noqa: S311  # repeatable by seed
        placed = [_placed(order, day, number, rng) for number, order in enumerate(orders)]
        waiting.append(labels_of(orders, day))
        yield from merge(placed, waiting.popleft(), key=attrgetter("at"))


def earlier_sales(retail: Retail, until: date, days: int = SALES_DAYS) -> Iterator[Emission]:
    """What was sold of each product on each of so many days before that past: one order a day.

    As much as the customers buy later, so that demand can be learned of; nobody else's features know of it.
    """
    for day in days_before(until - timedelta(days=DAYS), days):
        rng = random.Random(f"{retail.seed}/sales/{day}")  # noqa: S311  # repeatable by seed
        payload = {
            "order_id": f"o-{day:%Y%m%d}-wholesale",
            "customer_id": "wholesale",
            "terminal_id": "wholesale",
            "amount": 0.0,
            "currency": CURRENCY,
            "items": wholesale(ORDERS_A_DAY, rng),
        }
        yield sent("order.placed", f"order-{day:%Y%m%d}-wholesale", midnight(day) * 1_000, payload)


def _placed(order: Order, day: date, number: int, rng: random.Random) -> Emission:
    payload = {
        "order_id": numbered("o", day, number),
        "customer_id": order.customer,
        "terminal_id": order.terminal,
        "amount": order.cents / 100,
        "currency": CURRENCY,
        "items": items_of(order.cents, rng),
    }
    placed = sent("order.placed", numbered("order", day, number), moment(order, day), payload)
    return replace(placed, fraud=int(order.scenario))
