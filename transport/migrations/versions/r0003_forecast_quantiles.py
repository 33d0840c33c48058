"""The quantiles of a forecast's day, and of all days up to it. Forecasts that are there have none: NULL."""

from alembic import op
from sqlalchemy import Column, Double

revision = "0003"
down_revision = "0002"

COLUMNS = ("p50", "p80", "p90", "p95", "total_p50", "total_p80", "total_p90", "total_p95")


def upgrade() -> None:
    """Add the columns; rows keep what they have."""
    with op.batch_alter_table("forecasts", table_kwargs={"sqlite_with_rowid": False}) as table:
        for name in COLUMNS:
            table.add_column(Column(name, Double, nullable=True))
