"""What is in the catalogue, and how much of each SKU was sold on each day before a night?"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import groupby

import numpy as np
from sqlalchemy import ColumnElement, and_, exists, func, select

from features.offline.database import Database
from features.offline.sql import PARAMETERS, chunks
from features.offline.tables import ENTITIES, INCREMENTS
from features.retail import SKU_DEMAND
from models.forecasting import DailySeries

_EPOCH = date(1970, 1, 1)
SOLD = 0
"""The measure of `sku_demand` that is forecast."""
CATALOGUE_DAYS = SKU_DEMAND.ttl_days
"""What was not sold for so long is no longer in the catalogue."""


class Sales:
    """Daily sales out of the increments. Connects at the first use; every method raises `Unavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def catalogue(self, tenant_id: str, night: date) -> list[str]:
        """The SKUs that were sold in the year before a night."""
        recent = exists().where(
            INCREMENTS.c.entity == ENTITIES.c.id, _sold(night - timedelta(days=CATALOGUE_DAYS), night)
        )
        query = select(ENTITIES.c.entity_id).where(_of(tenant_id), recent).order_by(ENTITIES.c.entity_id)
        with self._database.reading() as connection:
            return list(connection.scalars(query))

    def series(self, tenant_id: str, skus: Sequence[str], night: date) -> dict[str, DailySeries]:
        """What was sold of each before a night, from the first day that anything was; empty where never."""
        found = {sku: DailySeries(night, np.empty(0), np.empty(0)) for sku in skus}
        tile = INCREMENTS.c.tile
        with self._database.reading() as connection:
            for chunk in chunks(found, PARAMETERS):
                rows = connection.execute(
                    select(ENTITIES.c.entity_id, tile, func.sum(INCREMENTS.c.amount))
                    .join_from(ENTITIES, INCREMENTS, INCREMENTS.c.entity == ENTITIES.c.id)
                    .where(_of(tenant_id), ENTITIES.c.entity_id.in_(chunk), _sold(None, night))
                    .group_by(ENTITIES.c.entity_id, tile)
                    .order_by(ENTITIES.c.entity_id, tile)
                )
                for sku, of_sku in groupby(rows, key=lambda row: row[0]):
                    found[sku] = _daily(((_day(number), int(pieces)) for _, number, pieces in of_sku), night)
        return found

    def sold_on(self, tenant_id: str, day: date) -> dict[str, float]:
        """Pieces of each SKU of which any were sold on a day."""
        query = (
            select(ENTITIES.c.entity_id, func.sum(INCREMENTS.c.amount))
            .join_from(ENTITIES, INCREMENTS, INCREMENTS.c.entity == ENTITIES.c.id)
            .where(_of(tenant_id), _sold(day, day + timedelta(days=1)))
            .group_by(ENTITIES.c.entity_id)
        )
        with self._database.reading() as connection:
            return {sku: float(pieces) for sku, pieces in connection.execute(query)}


def _of(tenant_id: str) -> ColumnElement[bool]:
    return and_(ENTITIES.c.view == SKU_DEMAND.name, ENTITIES.c.tenant_id == tenant_id)


def _sold(first: date | None, end: date) -> ColumnElement[bool]:
    of_days = and_(INCREMENTS.c.measure == SOLD, INCREMENTS.c.tile < _tile(end))
    return of_days if first is None else and_(of_days, INCREMENTS.c.tile >= _tile(first))


def _tile(day: date) -> int:
    return (day - _EPOCH).days * SKU_DEMAND.tiles_per_day


def _day(tile: int) -> date:
    return _EPOCH + timedelta(days=tile // SKU_DEMAND.tiles_per_day)


def _daily(sold: Iterable[tuple[date, int]], night: date) -> DailySeries:
    by_day = list(sold)
    first = by_day[0][0]
    demand = np.zeros((night - first).days)
    for day, pieces in by_day:
        demand[(day - first).days] += pieces
    return DailySeries(first, demand, np.full(len(demand), np.nan))
