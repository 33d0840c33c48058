"""Sums by tile of the busy entities of the feature store. The next start of a pipeline fills them."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, SmallInteger

revision = "0002"
down_revision = "0001"


def _number(name: str, *, key: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=key, autoincrement=False, nullable=False)


def upgrade() -> None:
    op.create_table(
        "feature_tiles",
        _number("entity", key=True),
        Column("width", Integer, primary_key=True, autoincrement=False),
        _number("tile", key=True),
        Column("partition", SmallInteger, primary_key=True, autoincrement=False),
        Column("measure", SmallInteger, primary_key=True, autoincrement=False),
        *map(_number, ("newest", "n", "high", "low")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "feature_rolled",
        _number("entity", key=True),
        Column("partition", SmallInteger, primary_key=True, autoincrement=False),
        _number("next_offset"),
    )
