"""Orders and fraud labels of the offline store, by order id: written beside increments, read by training."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Select, Table, func, select

from events.decision import Millis
from features.offline.batch import StreamEvent
from features.offline.history import AT_ONCE
from features.offline.sql import write_rows
from features.offline.tables import EVENTS, FRAUDS, ORDERS
from features.outcomes import ConfirmedFraud, PlacedOrder


@dataclass(frozen=True, slots=True)
class Confirmation:
    """An order was confirmed as fraud at `at` (epoch ms), by its first confirmation."""

    order_id: str
    at: Millis


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order that was placed at `at` (epoch ms)."""

    order_id: str
    at: Millis
    customer_id: str
    terminal_id: str
    amount_cents: int


def write_outcomes(connection: Connection, partition: int, events: Sequence[StreamEvent]) -> None:
    """Store what these events say of orders, at the positions by which they are counted."""
    placed: list[tuple[Any, ...]] = []
    frauds: list[tuple[Any, ...]] = []
    for event in events:
        if isinstance(event.outcome, PlacedOrder):
            placed.append((partition, event.offset, *event.outcome))
        elif isinstance(event.outcome, ConfirmedFraud):
            frauds.append((partition, event.offset, *event.outcome))
    write_rows(connection, ORDERS, placed)
    write_rows(connection, FRAUDS, frauds)


def newest(connection: Connection, tenant_id: str) -> Millis | None:
    """When the newest order or label of a tenant happened (epoch ms); None if there is none."""
    times = [
        connection.execute(_of(table, tenant_id, func.max(EVENTS.c.event_time))).scalar_one()
        for table in (ORDERS, FRAUDS)
    ]
    return max((at for at in times if at is not None), default=None)


def placed_before(connection: Connection, tenant_id: str, end: Millis) -> list[StoredOrder]:
    """A tenant's orders that were placed before `end` (epoch ms), by time; each id once, as first placed."""
    columns = [ORDERS.c[name] for name in ("customer_id", "terminal_id", "amount_cents")]
    found: dict[str, StoredOrder] = {}
    for row in _rows(connection, _before(ORDERS, tenant_id, end, ORDERS.c.order_id, _AT, *columns)):
        found.setdefault(row[0], StoredOrder(*row))
    return list(found.values())


def confirmed_before(connection: Connection, tenant_id: str, end: Millis) -> list[Confirmation]:
    """A tenant's confirmations that were known before `end` (epoch ms), by time; the first of each order."""
    found: dict[str, Confirmation] = {}
    for row in _rows(connection, _before(FRAUDS, tenant_id, end, FRAUDS.c.order_id, _AT)):
        found.setdefault(row[0], Confirmation(*row))
    return list(found.values())


_AT = EVENTS.c.event_time


def _of(table: Table, tenant_id: str, *columns: Any) -> Select[Any]:
    same = (EVENTS.c.partition == table.c.partition) & (EVENTS.c.offset == table.c.offset)
    return select(*columns).join_from(table, EVENTS, same).where(table.c.tenant_id == tenant_id)


def _before(table: Table, tenant_id: str, end: Millis, *columns: Any) -> Select[Any]:
    query = _of(table, tenant_id, *columns).where(end > _AT)
    return query.order_by(_AT, table.c.partition, table.c.offset)


def _rows(connection: Connection, query: Select[Any]) -> "chain[Any]":
    result = connection.execute(query, execution_options={"yield_per": AT_ONCE})
    return chain.from_iterable(result.partitions())
