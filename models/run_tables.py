"""What is written down of training: which dataset versions came, who may train, and how each run ended."""

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table, Text

METADATA = MetaData()

UPDATES = Table(
    "dataset_updates",
    METADATA,
    Column("tenant_id", String(256), primary_key=True),
    Column("model", String(256), primary_key=True),
    Column("dataset_version", String(256), primary_key=True),
    Column("rows_added", BigInteger, nullable=False),
    Column("triggered_at", BigInteger, nullable=False),
    Column("event_id", String(256), nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("run", BigInteger),
    Index("dataset_updates_by_run", "model", "run"),
)
"""One row for each dataset version, from the first event that named it; times in epoch ms.

`run` is the token of the run that covers it, null where none does.
"""

LEASES = Table(
    "training_leases",
    METADATA,
    Column("model", String(256), primary_key=True),
    Column("token", BigInteger, nullable=False),
    Column("holder", String(256), nullable=False),
    Column("until", BigInteger, nullable=False),
)
"""Who may train a model until when (epoch ms; 0: nobody). `token` grows: who has an older one has none."""

RUNS = Table(
    "training_runs",
    METADATA,
    Column("model", String(256), primary_key=True),
    Column("token", BigInteger, primary_key=True, autoincrement=False),
    Column("holder", String(256), nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("state", String(16), nullable=False),
    Column("finding", Text, nullable=False),
)
"""Each run, and how it ended: `models.runs.State`. Rows are never deleted; times in epoch ms."""
