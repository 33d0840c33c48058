"""What is written down of the agent's runs: whose they are, their steps, and who may go on with one."""

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

METADATA = MetaData()

RUNS = Table(
    "agent_runs",
    METADATA,
    Column("run_id", String(64), primary_key=True),
    Column("tenant_id", String(256), nullable=False),
    Column("ticket_id", String(256), nullable=False),
    Column("event_id", String(256), nullable=False),
    Column("model_id", String(256), nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Index("agent_runs_by_event", "event_id"),
)
"""One row for each run, under its prediction's id; times in epoch ms. Rows are never deleted.

`model_id` is the version that it began with.
"""

STEPS = Table(
    "agent_steps",
    METADATA,
    Column("run_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("step", Text, nullable=False),
)
"""The steps of a run, from 1, as `models.support.steps` writes them; `at` in epoch ms.

`token` is that of the lease under which it was written.
"""

LEASES = Table(
    "agent_leases",
    METADATA,
    Column("tenant_id", String(256), primary_key=True),
    Column("ticket_id", String(256), primary_key=True),
    Column("token", BigInteger, nullable=False),
    Column("holder", String(256), nullable=False),
    Column("until", BigInteger, nullable=False),
)
"""Who may work on a ticket until when (epoch ms; 0: nobody). `token` grows: who has an older one has none."""
