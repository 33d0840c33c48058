"""${message}."""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Runs in one transaction with its revision's number: both are there, or neither."""
    ${upgrades if upgrades else "raise NotImplementedError"}
