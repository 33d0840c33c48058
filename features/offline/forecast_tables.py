"""Forecasts in SQL: each one, day by day; which SKUs a night is of; how far each night is."""

from sqlalchemy import BigInteger, Boolean, Column, Double, MetaData, String, Table, Text

from features.offline.tables import index

METADATA = MetaData()

DAY_QUANTILES = ("p50", "p80", "p90", "p95")
"""Of a day."""
TOTAL_QUANTILES = ("total_p50", "total_p80", "total_p90", "total_p95")
"""Of all days from the night up to and with a day: a horizon's are those of its last day."""

# a day as ISO 8601: dates have another type in each database, and this one sorts
_DAY = String(10)


def _whose() -> tuple[Column[str], Column[str]]:
    return Column("tenant_id", String(256), primary_key=True), Column("night", _DAY, primary_key=True)


FORECASTS = Table(
    "forecasts",
    METADATA,
    Column("tenant_id", String(256), primary_key=True),
    Column("sku", String(256), primary_key=True),
    Column("night", _DAY, primary_key=True),
    Column("day", _DAY, primary_key=True),
    Column("mean", Double, nullable=False),
    Column("low", Double, nullable=False),
    Column("high", Double, nullable=False),
    Column("method", String(128), nullable=False),
    Column("model_id", String(256), nullable=False),
    Column("model_digest", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # of forecasts that were made before there were any they are NULL
    *(Column(name, Double, nullable=True) for name in (*DAY_QUANTILES, *TOTAL_QUANTILES)),
    # what a night has made so far, and what it said of one day
    index("forecasts_by_night", "tenant_id", "night", "day"),
    sqlite_with_rowid=False,
)
"""Pieces of a SKU on one day, as forecast in one night. Rows are added and never changed: the first stands.

`created_at` in epoch ms.
"""

PLANNED = Table(
    "forecast_plans",
    METADATA,
    *_whose(),
    Column("sku", String(256), primary_key=True),
    sqlite_with_rowid=False,
)
"""The SKUs that a night is of."""

NIGHTS = Table(
    "forecast_nights",
    METADATA,
    *_whose(),
    Column("state", String(16), nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("sla_ms", BigInteger, nullable=False),
    Column("report", Text, nullable=False),
    Column("whole", Boolean, nullable=False),
)
"""How far a night is: `claimed` by the clock that triggers it, `triggered`, `planned`, `ended`, `told`.

`changed_at` is when it came to that, `began_at` when its trigger came to Kafka, both epoch ms. `report` is
JSON, "" until the night has ended. `whole`: it is of the catalogue, and not only of named SKUs.
"""
