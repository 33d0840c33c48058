"""What was given out of each purse, and may this much more? Counted where it is intended."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, Column, Connection, MetaData, String, Table

from events.errors import SignalboxError
from models.support.limits import Purse

METADATA = MetaData()

SPENDING = Table(
    "agent_spending",
    METADATA,
    Column("tenant_id", String(256), primary_key=True),
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
        super().__init__(
            f"{amount_minor} {purse.currency} (minor units) would be more than {purse.limit_minor} "
            f"of {purse.scope} {purse.subject} {purse.day}".rstrip()
        )
        self.purse = purse


def take(connection: Connection, tenant_id: str, purses: Sequence[Purse], amount_minor: int) -> None:
    """Count an amount in each purse, inside of the transaction that writes the intent down.

    Raises `OverspentError` where one of them does not hold it; leave the transaction by it. Meant for
    `Database.write`: where two are first at once, one of them meets the other's row and is tried anew.
    """
    raise NotImplementedError


def give_back(connection: Connection, tenant_id: str, purses: Sequence[Purse], amount_minor: int) -> None:
    """Count it no more: the platform refused it. Not for what is unknown."""
    raise NotImplementedError
