"""Orders and confirmed frauds by order id, to train on. Empty at first: earlier events kept no order id."""

from alembic import op
from sqlalchemy import BigInteger, Column, SmallInteger, String

revision = "0004"
down_revision = "0003"


def _position() -> tuple[Column[int], Column[int]]:
    return (
        Column("partition", SmallInteger, primary_key=True, autoincrement=False),
        Column("offset", BigInteger, primary_key=True, autoincrement=False),
    )


def _text(name: str) -> Column[str]:
    return Column(name, String(256), nullable=False)


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "feature_orders",
        *_position(),
        *map(_text, ("tenant_id", "order_id", "customer_id", "terminal_id")),
        Column("amount_cents", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "feature_frauds",
        *_position(),
        *map(_text, ("tenant_id", "order_id")),
        sqlite_with_rowid=False,
    )
