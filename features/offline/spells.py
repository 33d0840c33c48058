"""Periods of inactivity in SQL: last orders, and which periods were reported; a row each, for ever."""

from collections.abc import Mapping, Sequence

from sqlalchemy import BigInteger, Column, Connection, MetaData, String, Table, and_, func, select

from events.decision import Millis
from features.inactivity import Seen, Spell
from features.offline import reading
from features.offline.sql import PARAMETERS, among, chunks, write_rows
from features.offline.tables import ENTITIES, INCREMENTS
from features.reading import Heartbeat
from features.retail import CUSTOMER_ORDERS
from transport.database import Database
from transport.migration import prepare

METADATA = MetaData()

SPELLS = Table(
    "inactive_spells",
    METADATA,
    Column("tenant_id", String(256), primary_key=True),
    Column("entity_id", String(256), primary_key=True),
    Column("last_seen_at", BigInteger, primary_key=True, autoincrement=False),
    Column("told_at", BigInteger, nullable=False),
)
"""Each spell that Kafka holds an event of; times in epoch ms."""

_MEASURE = [measure.name for measure in CUSTOMER_ORDERS.measures].index("orders")


class Spells:
    """Connects at the first use. Every method raises `Unavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database.of("inactivity ledger")

    def create(self) -> None:
        """Set up an empty store. Raises `ConfigError` if it is of another revision than this build's."""
        prepare(self._database)

    def counted(self) -> Mapping[int, Heartbeat]:
        """How far each partition of the stream is counted."""
        with self._database.reading() as connection:
            return reading.heartbeats(connection)

    def due(self, seen: Seen) -> list[Spell]:
        """Whose last order fell into this range, and who was not reported since; the longest away first."""
        tile_ms = CUSTOMER_ORDERS.tile_ms
        last = (
            select(ENTITIES.c.tenant_id, ENTITIES.c.entity_id, func.max(INCREMENTS.c.tile).label("tile"))
            .join_from(ENTITIES, INCREMENTS, INCREMENTS.c.entity == ENTITIES.c.id)
            .where(ENTITIES.c.view == CUSTOMER_ORDERS.name, INCREMENTS.c.measure == _MEASURE)
            .group_by(ENTITIES.c.tenant_id, ENTITIES.c.entity_id)
            .having(func.max(INCREMENTS.c.tile).between(seen.after // tile_ms + 1, seen.until // tile_ms))
            .subquery()
        )
        told = and_(
            SPELLS.c.tenant_id == last.c.tenant_id,
            SPELLS.c.entity_id == last.c.entity_id,
            SPELLS.c.last_seen_at == last.c.tile * tile_ms,
        )
        query = (
            select(last)
            .outerjoin(SPELLS, told)
            .where(SPELLS.c.told_at.is_(None))
            .order_by(last.c.tile, last.c.tenant_id, last.c.entity_id)
        )
        with self._database.reading() as connection:
            return [Spell(tenant, who, tile * tile_ms) for tenant, who, tile in connection.execute(query)]

    def note(self, spells: Sequence[Spell], now: Millis) -> None:
        """They were reported. Another process may have noted some of them."""

        def add(connection: Connection) -> None:
            known = _known(connection, spells)
            fresh = dict.fromkeys(spell for spell in spells if spell not in known)
            write_rows(connection, SPELLS, [(*spell, now) for spell in fresh])

        self._database.write(add)


def _known(connection: Connection, spells: Sequence[Spell]) -> set[Spell]:
    columns = (SPELLS.c.tenant_id, SPELLS.c.entity_id, SPELLS.c.last_seen_at)
    whose = dict.fromkeys((spell.tenant_id, spell.customer_id) for spell in spells)
    return {
        Spell(*row)
        for some in chunks(whose, PARAMETERS)
        for row in connection.execute(select(*columns).where(among(SPELLS, some)))
    }
