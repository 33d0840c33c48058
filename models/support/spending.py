"""Spending limits: what was given from each, counted when it is intended."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    MetaData,
    String,
    Table,
    case,
    insert,
    select,
    update,
)

from events.decision import Millis
from events.errors import SignalboxError
from models.support.actions import Money
from models.support.amounts import shown
from models.support.limits import Purse

METADATA = MetaData()

SPENDING = Table(
    "agent_spending",
    METADATA,
    Column("tenant_id", String(256), primary_key=True),
    Column("tool", String(32), primary_key=True),
    Column("scope", String(32), primary_key=True),
    Column("subject", String(256), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("spent_minor", BigInteger, nullable=False),
)
"""What was intended out of each purse (`models.support.limits.Purse`). Rows are never deleted."""


class OverspentError(SignalboxError):
    """A purse does not hold that much any more: a person decides. The transaction is to be rolled back."""

    def __init__(self, purse: Purse, amount_minor: int) -> None:
        asked, bound = (shown(Money(minor, purse.currency)) for minor in (amount_minor, purse.limit_minor))
        super().__init__(
            f"{asked} is more than is left of {bound} "
            f"by {purse.tool} for {purse.scope} {purse.subject} {purse.day}".rstrip()
        )
        self.purse = purse


def take(connection: Connection, tenant_id: str, purses: Sequence[Purse], amount_minor: int) -> None:
    """Count an amount in each purse, inside of the transaction that writes the intent down.

    Raises `OverspentError` if one of them does not hold it; leave the transaction by it. Meant for
    `Database.write`: where two are first at once, one of them meets the other's row and is tried again.
    """
    # in one order for everybody: two that wait for each other's rows would wait for ever
    for purse in sorted(purses, key=_place):
        least = purse.given_minor + amount_minor
        if purse.limit_minor < least:
            raise OverspentError(purse, amount_minor)
        here, before = _here(tenant_id, purse), SPENDING.c.spent_minor
        # the greater of both, in words that PostgreSQL and SQLite share
        spent = case((before < purse.given_minor, least), else_=before + amount_minor)
        done = connection.execute(
            update(SPENDING).where(*here, spent <= purse.limit_minor).values(spent_minor=spent)
        )
        if done.rowcount:
            continue
        if connection.execute(select(SPENDING.c.spent_minor).where(*here)).first() is not None:
            raise OverspentError(purse, amount_minor)
        connection.execute(insert(SPENDING).values(**_row(tenant_id, purse), spent_minor=least))


def give_back(connection: Connection, tenant_id: str, purses: Sequence[Purse], amount_minor: int) -> None:
    """Count it no more: the platform refused it. Not for what is unknown."""
    for purse in sorted(purses, key=_place):
        left = SPENDING.c.spent_minor - amount_minor
        connection.execute(update(SPENDING).where(*_here(tenant_id, purse)).values(spent_minor=left))


def day_of(now: Millis, zone: ZoneInfo) -> str:
    """The shop's day at a moment, ISO 8601."""
    return datetime.fromtimestamp(now / 1_000, zone).date().isoformat()


def _place(purse: Purse) -> tuple[str, ...]:
    return purse.tool, purse.scope, purse.subject, purse.day, purse.currency


def _row(tenant_id: str, purse: Purse) -> dict[str, str]:
    names = ("tenant_id", "tool", "scope", "subject", "day", "currency")
    return dict(zip(names, (tenant_id, *_place(purse)), strict=True))


def _here(tenant_id: str, purse: Purse) -> list[ColumnElement[bool]]:
    return [SPENDING.c[name] == value for name, value in _row(tenant_id, purse).items()]
