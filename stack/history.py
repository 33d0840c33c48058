"""Which transactions does RetailPulse have to train on, where there is no file of real ones?"""

from collections.abc import Iterator
from datetime import date

from stack.retail import Retail, days_before
from training.transactions import DAY_S, Transaction, day_number

DAYS = 84
"""Four weeks to train on, one that waits for its labels, one to measure on, and the windows before them."""


def history(retail: Retail, until: date, days: int = DAYS) -> Iterator[Transaction]:
    """The orders of the last `days` days before `until`, by time."""
    for day in days_before(until, days):
        midnight = day_number(day) * DAY_S
        for order in retail.orders(day):
            yield Transaction(
                midnight + order.second, order.customer, order.terminal, order.cents, order.scenario > 0
            )
