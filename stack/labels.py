"""Delayed fraud labels of card transactions: events of their own, a delay after the transaction."""

from collections.abc import Iterator
from datetime import date
from heapq import merge
from pathlib import Path
from typing import TYPE_CHECKING

from features.retail import LABEL_DELAY_DAYS
from stack.cards import SOURCE, card_orders
from stack.confirmed import label
from stack.emission import Emission
from training.parquet import CUSTOMER, FRAUD, ID, SECONDS, TERMINAL, read_frame
from training.transactions import DAY_S, day_number

if TYPE_CHECKING:
    import pandas as pd


def card_labels(path: Path, since: date | None = None, until: date | None = None) -> Iterator[Emission]:
    """Each fraud when it becomes known, if that is from `since` on and before `until` (days, UTC), by time.

    Raises `ConfigError` as `training.parquet.read_frame` does.
    """
    frame = _known(read_frame(path), since, until).sort_values(SECONDS, kind="stable")
    columns = (frame[name].tolist() for name in (ID, SECONDS, CUSTOMER, TERMINAL))
    for transaction, second, customer, terminal in zip(*columns, strict=True):
        at = (second + LABEL_DELAY_DAYS * DAY_S) * 1_000
        yield _label(str(transaction), at, str(customer), str(terminal))


def card_history(path: Path, since: date | None = None, until: date | None = None) -> Iterator[Emission]:
    """Orders and labels of these days, by the time at which each became known."""
    return merge(
        card_orders(path, since, until), card_labels(path, since, until), key=lambda emission: emission.at
    )


def history_length(path: Path, since: date | None = None, until: date | None = None) -> int:
    """How many events `card_history` gives."""
    frame = read_frame(path)
    return len(_between(frame, since, until)) + len(_known(frame, since, until))


def _known(frame: "pd.DataFrame", since: date | None, until: date | None) -> "pd.DataFrame":
    """The frauds that become known in these days."""
    frauds = frame[frame[FRAUD] != 0]
    return _between(frauds, since, until, LABEL_DELAY_DAYS)


def _between(
    frame: "pd.DataFrame", since: date | None, until: date | None, delay_days: int = 0
) -> "pd.DataFrame":
    days = frame[SECONDS] // DAY_S + delay_days
    first = days.min() if since is None else day_number(since)
    end = days.max() + 1 if until is None else day_number(until)
    return frame[(days >= first) & (days < end)]


def _label(transaction: str, at: int, customer: str, terminal: str) -> Emission:
    payload = {
        "order_id": transaction,
        "customer_id": customer,
        "terminal_id": terminal,
        "confirmed_at": at,
    }
    return label(f"tx-{transaction}-fraud", at, payload, SOURCE)
