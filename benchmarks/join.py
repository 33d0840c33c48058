"""What it costs to say of each of a million orders what was known when it came, beside pandas' merge_asof.

    python -m benchmarks.join [--rows 1000000] [--database URL]

Made-up orders of 5,000 customers at 10,000 terminals in 180 days; each asks for the twelve windows of its
customer and its terminal. Ours begins in SQL (SQLite in a temporary folder by default); pandas is given the
same history in memory, sorted. `merge_asof` finds one row for each question: asked twice about running
totals, it tells a window; once, it joins a value that is stored there ready-made. The values must agree.
"""

import argparse
import hashlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.extraction import Increment
from features.offline.batch import StreamEvent
from features.offline.join import distinct, point_in_time
from features.offline.store import OfflineStore, open_offline
from features.retail import CUSTOMER_ORDERS, DEFINITIONS, TERMINAL_ORDERS, WINDOWS_DAYS
from features.views import DAY_S
from features.windows import evaluate

TENANT = "retailpulse"
CUSTOMERS, TERMINALS, DAYS = 5_000, 10_000, 180
BEGIN = 1_767_225_600
DELAY_DAYS = 7
PER_COMMIT = 5_000
FEATURES = tuple(
    f"{name}_{days}d"
    for name in ("customer_count", "customer_mean_amount", "terminal_count", "terminal_risk")
    for days in WINDOWS_DAYS
)
Ints = NDArray[np.int64]


class Orders(NamedTuple):
    """Columns, by time (epoch seconds)."""

    time: Ints
    customer: Ints
    terminal: Ints
    cents: Ints


def made_up(rows: int) -> Orders:
    """The same ones at each call."""
    chosen = np.random.default_rng(7)
    return Orders(
        np.sort(chosen.integers(BEGIN, BEGIN + DAYS * DAY_S, rows)),
        chosen.integers(0, CUSTOMERS, rows),
        chosen.integers(0, TERMINALS, rows),
        chosen.integers(100, 50_000, rows),
    )


def counted(orders: Orders) -> Iterator[list[StreamEvent]]:
    """The orders as the offline tier counts them, some thousands at a time."""
    for first in range(0, len(orders.time), PER_COMMIT):
        columns = (column[first : first + PER_COMMIT].tolist() for column in orders)
        yield [_event(number, *row) for number, row in enumerate(zip(*columns, strict=True), start=first)]


def _event(number: int, second: int, customer: int, terminal: int, cents: int) -> StreamEvent:
    name = f"order-{number}"
    increments = (
        Increment(TENANT, CUSTOMER_ORDERS.name, f"c-{customer}", 0, second, 1, cents, second * 1_000),
        Increment(TENANT, TERMINAL_ORDERS.name, f"t-{terminal}", 0, second, 1, 0, second * 1_000),
    )
    digest = hashlib.blake2b(name.encode(), digest_size=16).digest()
    return StreamEvent(digest, second * 1_000, number, name, increments)


def ours(store: OfflineStore, orders: Orders) -> NDArray[np.float64]:
    """From SQL to the matrix, and how long each part of that takes."""
    ids = {
        "customer": [f"c-{number}" for number in orders.customer.tolist()],
        "terminal": [f"t-{number}" for number in orders.terminal.tolist()],
    }
    at = orders.time * 1_000
    began = time.perf_counter()
    joined = point_in_time(store, DEFINITIONS, FEATURES, ids, at, tenant_id=TENANT)
    _say("point-in-time join, from SQL", began, len(at), "12 windows")
    for view in (CUSTOMER_ORDERS, TERMINAL_ORDERS):
        rows, of = distinct([(TENANT, entity_id) for entity_id in ids[view.entity]])
        began = time.perf_counter()
        history = store.increments(view, rows)
        _say(f"  of it, {view.entity}: read from SQL", began, len(at), f"{len(history.of):,} increments")
        began = time.perf_counter()
        evaluate(view, history.increments(), len(rows), of, at)
        _say(f"  of it, {view.entity}: values", began, len(at), f"{len(view.features)} features")
    return joined.matrix


def pandas_once(orders: Orders) -> None:
    """One `merge_asof`: the newest row before each order."""
    asked = pd.DataFrame({"time": orders.time, "customer": orders.customer})
    history = asked.assign(value=orders.cents)
    began = time.perf_counter()
    pd.merge_asof(asked, history, on="time", by="customer", allow_exact_matches=False)
    _say("pandas merge_asof, in memory", began, len(asked), "1 ready-made value")


def pandas_windows(orders: Orders) -> NDArray[np.float64]:
    """The same twelve windows out of running totals."""
    began = time.perf_counter()
    columns: dict[str, NDArray[np.float64]] = {}
    for entity, who, delay in (("customer", orders.customer, 0), ("terminal", orders.terminal, DELAY_DAYS)):
        frame = pd.DataFrame({"time": orders.time, "who": who, "n": 1, "cents": orders.cents})
        totals = frame[["time", "who"]].assign(**frame.groupby("who")[["n", "cents"]].cumsum())
        ends = _totals_before(totals, orders.time, who, delay)
        for days in WINDOWS_DAYS:
            n, cents = (ends - _totals_before(totals, orders.time, who, delay + days)).T
            columns[f"{entity}_count_{days}d"] = n
            if entity == "customer":
                columns[f"{entity}_mean_amount_{days}d"] = cents / 100 / np.maximum(n, 1)
    _say("pandas merge_asof, in memory", began, len(orders.time), "9 windows (no frauds)")
    zeros = np.zeros(len(orders.time))
    return np.column_stack([columns.get(name, zeros) for name in FEATURES])


def _totals_before(totals: pd.DataFrame, times: Ints, who: Ints, days: int) -> NDArray[np.float64]:
    asked = pd.DataFrame({"time": times - days * DAY_S, "who": who})
    found = pd.merge_asof(asked, totals, on="time", by="who", allow_exact_matches=False)
    return found[["n", "cents"]].fillna(0).to_numpy(np.float64)


def _say(what: str, began: float, rows: int, of: str) -> None:
    seconds = time.perf_counter() - began
    print(f"{what:38} {seconds:7.2f} s {rows / seconds:12,.0f} rows/s   {of}")


def main() -> None:
    """Fill a store, join, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--database", help="an SQLAlchemy URL of an empty database")
    given = parser.parse_args()
    orders = made_up(given.rows)
    with tempfile.TemporaryDirectory() as folder:
        store = open_offline(given.database or f"sqlite:///{Path(folder) / 'join.db'}")
        store.create(DEFINITIONS)
        began = time.perf_counter()
        for events in counted(orders):
            store.append_history(events)
        _say("counted into SQL", began, given.rows, f"{2 * given.rows:,} increments")
        matrix = ours(store, orders)
        store.close()
    pandas_once(orders)
    theirs = pandas_windows(orders)
    wrong = int((~np.isclose(matrix, theirs, rtol=1e-12)).sum())
    print(f"{matrix.size:,} values, {wrong:,} of them different; {int((matrix != 0).sum()):,} are not 0")


if __name__ == "__main__":
    main()
