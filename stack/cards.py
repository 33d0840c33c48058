"""Real card transactions as orders: a parquet file's rows, each with what is known of it besides."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

from stack.confirmed import sent
from stack.emission import Emission
from training.dataset import Days
from training.parquet import AMOUNT, CUSTOMER, FRAUD, ID, SECONDS, TERMINAL, read_frame
from training.transactions import DAY_S, day_number, day_of

SOURCE = "card-transactions"
CURRENCY = "EUR"
"""Such a file names none; the fraud model does not look at it."""

ORDER = "order.placed"


def card_days(path: Path) -> Days:
    """The first and the last day of a file. Raises `ConfigError` as `training.parquet.read_frame` does."""
    seconds = read_frame(path)[SECONDS]
    return Days(day_of(seconds.min() // DAY_S), day_of(seconds.max() // DAY_S))


def card_orders(path: Path, since: date | None = None, until: date | None = None) -> Iterator[Emission]:
    """The transactions from `since` on and before `until` (days, UTC), by time, as `order.placed`.

    The label stands beside the event, not in it. Raises `ConfigError` naming each column that cannot be used.
    """
    frame = read_frame(path)
    if since is not None:
        frame = frame[frame[SECONDS] >= day_number(since) * DAY_S]
    if until is not None:
        frame = frame[frame[SECONDS] < day_number(until) * DAY_S]
    frame = frame.sort_values(SECONDS, kind="stable")
    columns = (frame[name].tolist() for name in (ID, SECONDS, CUSTOMER, TERMINAL, AMOUNT, FRAUD))
    for transaction, second, customer, terminal, cents, fraud in zip(*columns, strict=True):
        yield _emission(str(transaction), second * 1_000, str(customer), str(terminal), cents, int(fraud))


def _emission(transaction: str, at: int, customer: str, terminal: str, cents: int, fraud: int) -> Emission:
    payload = {
        "order_id": transaction,
        "customer_id": customer,
        "terminal_id": terminal,
        "amount": cents / 100,
        "currency": CURRENCY,
    }
    return replace(sent(ORDER, f"tx-{transaction}", at, payload, SOURCE), fraud=fraud)
