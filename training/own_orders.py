"""The shop's own orders with their confirmed labels, out of the offline store: training data without a file.

A label is known from the time of its `order.fraud_confirmed`. An order has matured once `MATURITY_DAYS` have
passed since; one that nothing was confirmed of by then counts as honest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from core.timestamps import utc_day
from events.decision import Millis
from events.errors import ConfigError, Problem
from features.offline.outcomes import Confirmation, StoredOrder, confirmed_before, newest, placed_before
from features.offline.reader import OfflineReader
from features.retail import LABEL_DELAY_DAYS
from training.transactions import DAY_S, Transaction, Transactions, day_number, from_rows

MATURITY_DAYS = LABEL_DELAY_DAYS
"""As in the handbook; younger orders are left out, since their labels may still come."""
SOURCE = "offline feature store"


@dataclass(frozen=True, slots=True)
class OwnOrders:
    """Matured orders, none from `end` on, labelled as was known before `known_until`; never empty.

    `unmatched` counts confirmations that name none of these orders.
    """

    transactions: Transactions
    end: date
    known_until: date
    unmatched: int

    def __str__(self) -> str:
        frauds = int(self.transactions.fraud.sum())
        return (
            f"{len(self.transactions):,} own orders before {self.end}, {frauds:,} confirmed as fraud before "
            f"{self.known_until}; younger ones may still be confirmed and are left out; {self.unmatched:,} "
            "confirmations name none of these orders"
        )


def own_orders(store: OfflineReader, tenant_id: str, until: date | None) -> OwnOrders:
    """A tenant's orders as was known before `until`, or before the day of the newest order or label.

    Raises `ConfigError` if none has matured, and `Unavailable`.
    """
    with store.database.reading() as connection:
        last = newest(connection, tenant_id)
        if last is None:
            raise _refused(
                f"has no order of {tenant_id} by its id: count some with `signalbox features backfill` or "
                "`signalbox features pipeline` (what was counted before revision 0004 has no order ids), or "
                "train on a file with --data FILE"
            )
        known_until = _known_until(last, until)
        matured = known_until - timedelta(days=MATURITY_DAYS)
        orders = placed_before(connection, tenant_id, _midnight(matured))
        confirmed = confirmed_before(connection, tenant_id, _midnight(known_until))
    if not orders:
        raise _refused(
            f"has no order of {tenant_id} before {matured}: labels are known before {known_until}, and one "
            f"takes up to {MATURITY_DAYS} days to come; wait, choose another --until, or use --data FILE"
        )
    transactions, unmatched = labelled(orders, confirmed)
    return OwnOrders(
        transactions, min(matured, transactions.last_day + timedelta(days=1)), known_until, unmatched
    )


def labelled(orders: Sequence[StoredOrder], confirmed: Sequence[Confirmation]) -> tuple[Transactions, int]:
    """The orders, fraud if one of the confirmations names them; and how many confirmations name none."""
    frauds = {confirmation.order_id for confirmation in confirmed}
    rows = (
        Transaction(
            order.at // 1_000,
            order.customer_id,
            order.terminal_id,
            order.amount_cents,
            order.order_id in frauds,
        )
        for order in orders
    )
    return from_rows(rows), len(frauds - {order.order_id for order in orders})


def _known_until(newest_at: Millis, until: date | None) -> date:
    """The day before which all labels are taken: no later than the day after the newest event's.

    Without `until` the newest event's day is left out: it may not be over.
    """
    day = utc_day(newest_at)
    return day if until is None else min(until, day + timedelta(days=1))


def _midnight(day: date) -> Millis:
    return day_number(day) * DAY_S * 1_000


def _refused(problem: str) -> ConfigError:
    return ConfigError([Problem(SOURCE, 0, "", problem)])
