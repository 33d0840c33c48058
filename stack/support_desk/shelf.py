"""Queries of the support desk's tables, ticket by ticket."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import RowMapping, Table, func, select

from stack.support_desk.tables import ACTIONS, ENDS, ORDERS, TICKETS
from stack.support_desk.told import TOOLS, Closed, Done, Ending, TicketFile
from transport.database import Database

_OF_ORDER = (ORDERS.c.order_id == ACTIONS.c.order_id) & (ORDERS.c.tenant_id == ACTIONS.c.tenant_id)
_ACTIONS = select(ACTIONS, ORDERS.c.total_minor).outerjoin(ORDERS, _OF_ORDER).order_by(ACTIONS.c.number)

Place = tuple[str, str, str]
"""Tenant, ticket and event."""


class Counts(NamedTuple):
    """How many escalations are known, and of those how many ended how, and what was done."""

    escalated: int
    resolved: int
    handed_over: int
    refunds: int
    vouchers: int
    over_refunded: int
    """Orders for which more went out than they cost."""


class Shelf:
    """Reads only. Raises `Unavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database.of("support desk store")

    def files(self, limit: int = 1_000_000) -> list[TicketFile]:
        """The files of the `limit` tickets that were escalated last, and of as many that ended last.

        The latest first.
        """
        with self._database.reading() as connection:
            latest = select(TICKETS).order_by(TICKETS.c.escalated_at.desc()).limit(limit)
            known = {_place(row): row for row in connection.execute(latest).mappings()}
            ends = select(ENDS).order_by(ENDS.c.number.desc()).limit(limit)
            ended = {_place(row): row for row in connection.execute(ends).mappings()}
            done: dict[Place, list[Done]] = defaultdict(list)
            for row, excess in _with_excess(connection.execute(_ACTIONS).mappings()):
                done[_place(row)].append(_done(row, excess))
        files = [
            _file(place, known.get(place), done.get(place, []), ended.get(place))
            for place in known.keys() | ended.keys() | done.keys()
        ]
        files.sort(key=lambda file: (file.escalated_at or 0, file.ticket_id), reverse=True)
        return files[:limit]

    def counts(self) -> Counts:
        """All of them at a glance."""
        with self._database.reading() as connection:

            def count(table: Table, **where: str) -> int:
                asked = select(func.count()).select_from(table)
                matching = asked.where(*(table.c[name] == value for name, value in where.items()))
                return int(connection.execute(matching).scalar_one())

            paid = func.sum(ACTIONS.c.amount_minor)
            over = (
                select(ORDERS.c.order_id)
                .join(ACTIONS, _OF_ORDER)
                .where(ACTIONS.c.tool == TOOLS["refunds"])
                .group_by(ORDERS.c.tenant_id, ORDERS.c.order_id)
                .having(paid > ORDERS.c.total_minor)
            )
            return Counts(
                count(TICKETS),
                count(ENDS, how="resolution"),
                count(ENDS, how="hand-over"),
                count(ACTIONS, tool=TOOLS["refunds"]),
                count(ACTIONS, tool=TOOLS["vouchers"]),
                len(connection.execute(over).all()),
            )


def _with_excess(actions: Iterable[RowMapping]) -> Iterator[tuple[RowMapping, bool]]:
    spent: dict[tuple[str, str], int] = defaultdict(int)
    for row in actions:
        order = (row["tenant_id"], row["order_id"])
        if row["tool"] == TOOLS["refunds"]:
            spent[order] += row["amount_minor"] or 0
        yield row, spent[order] > (row["total_minor"] or 0)


def _place(row: Mapping[str, Any] | RowMapping) -> Place:
    return row["tenant_id"], row["ticket_id"], row["event_id"]


def _done(row: RowMapping, excess: bool) -> Done:
    names = ("key", "tool", "order_id", "amount_minor", "currency", "reason", "done_at")
    return Done(**{name: row[name] for name in names}, excess=excess)


def _file(place: Place, ticket: RowMapping | None, done: list[Done], end: RowMapping | None) -> TicketFile:
    tenant_id, ticket_id, event_id = place
    closed = None
    customer_id = "" if ticket is None else ticket["customer_id"]
    if end is not None:
        said = msgspec.json.decode(end["body"], type=Ending)
        closed = Closed(how=end["how"], key=end["key"], ended_at=end["ended_at"], said=said)
        customer_id = customer_id or said.customer_id
    told = (
        {}
        if ticket is None
        else {name: ticket[name] for name in ("order_id", "subject", "body", "escalated_at")}
    )
    return TicketFile(
        tenant_id=tenant_id,
        ticket_id=ticket_id,
        event_id=event_id,
        customer_id=customer_id,
        done=tuple(done),
        closed=closed,
        **told,
    )
