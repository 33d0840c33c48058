"""The support desk's store, in one SQLite file: what comes under a key is done once, while it keeps the key.

It does what it is told, even beyond what an order cost: what holds the agent back must be the agent's own.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, String, Table, cast, func, insert, select, update

from events.decision import Millis
from events.errors import SignalboxError
from models.support.platform import Order, Receipt
from stack.support_desk.tables import ACTIONS, ENDS, METADATA, ORDERS, TICKETS
from stack.support_desk.told import TOOLS, Doing, Ending, Folder, How
from transport.clock import Clock, system_clock
from transport.database import Database


class NotDoneError(SignalboxError):
    """The desk will not; `status` is the HTTP status that says so."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Books:
    """Safe to use from several threads. Every method raises `Unavailable` if the file cannot be used.

    Without `keys_kept` (ms) it keeps the keys of actions for ever, with it as a platform does that forgets.
    """

    def __init__(
        self, database: Database, clock: Clock = system_clock, keys_kept: Millis | None = None
    ) -> None:
        self._database = database.of("support desk store")
        self._clock = clock
        self._keys_kept = keys_kept

    def create(self) -> None:
        """Make the tables that are missing."""
        with self._database.creating() as connection:
            METADATA.create_all(connection)

    def learn(self, orders: list[dict[str, Any]], tickets: list[dict[str, Any]]) -> None:
        """Enter rows of `ORDERS` and `TICKETS`. One that is known stays as it is."""
        with self._database.writing() as connection:
            for table, rows in ((ORDERS, orders), (TICKETS, tickets)):
                if rows:
                    connection.execute(insert(table).prefix_with("OR IGNORE"), rows)

    def order(self, tenant_id: str, order_id: str) -> Order | None:
        """What is known of an order, and what was refunded of it."""
        with self._database.reading() as connection:
            row = connection.execute(
                select(ORDERS).where(ORDERS.c.tenant_id == tenant_id, ORDERS.c.order_id == order_id)
            ).one_or_none()
            if row is None:
                return None
            refunded = connection.execute(
                select(func.coalesce(func.sum(ACTIONS.c.amount_minor), 0)).where(
                    ACTIONS.c.tenant_id == tenant_id,
                    ACTIONS.c.order_id == order_id,
                    ACTIONS.c.tool == TOOLS["refunds"],
                )
            ).scalar_one()
        return Order(
            order_id=row.order_id,
            customer_id=row.customer_id,
            currency=row.currency,
            total_minor=row.total_minor,
            refunded_minor=refunded,
            placed_at=row.placed_at,
        )

    def act(self, key: str, folder: Folder, doing: Doing) -> Receipt:
        """Carry it out, once for each key. Raises `NotDoneError`."""
        if doing.type != TOOLS[folder]:
            raise NotDoneError(400, f"{doing.type} does not belong to {folder}")
        row = {
            **_about(doing, key),
            "customer_id": doing.customer_id,
            "tool": doing.type,
            "order_id": doing.order_id,
            "amount_minor": doing.amount_minor,
            "currency": doing.currency,
            "reason": doing.reason,
        }
        return self._database.write(lambda connection: self._act(connection, row))

    def _act(self, connection: Connection, row: dict[str, Any]) -> Receipt:
        if self._keys_kept is not None:
            forgotten = self._clock() - self._keys_kept
            connection.execute(
                update(ACTIONS)
                .where(ACTIONS.c.key == row["key"], ACTIONS.c.done_at < forgotten)
                .values(key=ACTIONS.c.key + "~" + cast(ACTIONS.c.number, String))
            )
        return self._enter(connection, ACTIONS, row, "done_at")

    def end(self, key: str, how: How, ending: Ending) -> Receipt:
        """End a ticket, once for each key and each escalation. Raises `NotDoneError`."""
        row = {**_about(ending, key), "how": how, "body": msgspec.json.encode(ending).decode()}
        return self._database.write(lambda connection: self._end(connection, row))

    def _end(self, connection: Connection, row: dict[str, Any]) -> Receipt:
        ended = connection.execute(
            select(ENDS.c.key).where(
                *(ENDS.c[name] == row[name] for name in ("tenant_id", "ticket_id", "event_id"))
            )
        ).scalar_one_or_none()
        if ended is not None and ended != row["key"]:
            raise NotDoneError(409, "this escalation of the ticket has ended already")
        return self._enter(connection, ENDS, row, "ended_at")

    def _enter(self, connection: Connection, table: Table, row: Mapping[str, Any], at: str) -> Receipt:
        known = connection.execute(select(table).where(table.c.key == row["key"])).mappings().one_or_none()
        if known is None:
            result = connection.execute(insert(table).values(**row, **{at: self._clock()}))
            (number,) = result.inserted_primary_key or (0,)
        else:
            if any(known[name] != value for name, value in row.items()):
                raise NotDoneError(422, "this key was used for something else")
            number = known["number"]
        return Receipt(reference=f"{table.name.removeprefix('desk_')}-{number}")


def _about(told: Doing | Ending, key: str) -> dict[str, Any]:
    return {
        "key": key,
        "tenant_id": told.tenant_id,
        "ticket_id": told.ticket_id,
        "event_id": told.event_id,
    }
