"""The catalogue, and the units of each SKU sold on each of the shop's days before a night."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import ColumnElement, exists, select

from events.decision import Millis
from features.increments import Ints
from features.offline.daily import daily, midnights
from features.offline.sql import halves, total
from features.offline.tables import ENTITIES, EVENTS, INCREMENTS, OFFLINE_STORE
from features.retail import SKU_DEMAND, SKU_PRICES
from features.sums import HALF
from models.forecasting import DailySeries, Floats
from transport.database import Database

CATALOGUE_DAYS: Final = SKU_DEMAND.ttl_days
"""What was not sold for so long is no longer in the catalogue, and no series reaches back further."""
SOLD, LINES = "sold", "lines"
_PLACE = [measure.name for measure in SKU_DEMAND.measures].index(SOLD)
_CENTS = 10 ** SKU_PRICES.measures[0].decimals


class Sales:
    """Daily sales out of the increments. Connects at the first use; every method raises `Unavailable`.

    Days are those of `zone`. What was sent back later was sold all the same: demand is what was ordered.
    """

    def __init__(self, database: Database, zone: ZoneInfo) -> None:
        self._database = database.of(OFFLINE_STORE)
        self._zone = zone

    def catalogue(self, tenant_id: str, night: date) -> list[str]:
        """The SKUs that were sold in the year before a night."""
        begin, end = self._borders(night - timedelta(days=CATALOGUE_DAYS), CATALOGUE_DAYS)[[0, -1]].tolist()
        # a SKU is in as soon as one increment is found: their tiles tell without a look at the events
        recent = exists().where(
            INCREMENTS.c.entity == ENTITIES.c.id,
            INCREMENTS.c.measure == _PLACE,
            INCREMENTS.c.tile >= begin // SKU_DEMAND.tile_ms,
            INCREMENTS.c.tile < -(-end // SKU_DEMAND.tile_ms),
        )
        query = (
            select(ENTITIES.c.entity_id)
            .where(ENTITIES.c.view == SKU_DEMAND.name, ENTITIES.c.tenant_id == tenant_id, recent)
            .order_by(ENTITIES.c.entity_id)
        )
        with self._database.reading() as connection:
            return list(connection.scalars(query))

    def series(self, tenant_id: str, skus: Sequence[str], night: date) -> dict[str, DailySeries]:
        """What was sold of each before a night, from the first day that anything was; empty if never."""
        first = night - timedelta(days=CATALOGUE_DAYS)
        wanted = tuple(dict.fromkeys(skus))
        keys = [(tenant_id, sku) for sku in wanted]
        borders = self._borders(first, CATALOGUE_DAYS)
        sold = daily(self._database, SKU_DEMAND, SOLD, keys, borders)
        lines = daily(self._database, SKU_PRICES, LINES, keys, borders)
        demand, price = sold.amount, _mean(lines.amount, lines.n * _CENTS)
        begins = np.where(demand.any(axis=1), (demand > 0).argmax(axis=1), CATALOGUE_DAYS).tolist()
        return {
            sku: DailySeries(first + timedelta(days=begin), demand[row, begin:], price[row, begin:])
            for row, (sku, begin) in enumerate(zip(wanted, begins, strict=True))
        }

    def sold_on(self, tenant_id: str, day: date) -> dict[str, float]:
        """Pieces of each SKU of which any were sold on a day."""
        begin, end = self._borders(day, 1).tolist()
        query = (
            select(ENTITIES.c.entity_id, *map(total, halves(INCREMENTS.c.amount)))
            .join_from(ENTITIES, INCREMENTS, INCREMENTS.c.entity == ENTITIES.c.id)
            .join(
                EVENTS,
                (EVENTS.c.partition == INCREMENTS.c.partition) & (EVENTS.c.offset == INCREMENTS.c.offset),
            )
            .where(ENTITIES.c.view == SKU_DEMAND.name, ENTITIES.c.tenant_id == tenant_id)
            .where(INCREMENTS.c.measure == _PLACE, *_within(begin, end))
            .group_by(ENTITIES.c.entity_id)
        )
        with self._database.reading() as connection:
            return {sku: float(high * HALF + low) for sku, high, low in connection.execute(query)}

    def _borders(self, first: date, days: int) -> Ints:
        return midnights(first, days, self._zone)


def _within(begin: Millis, end: Millis) -> tuple[ColumnElement[bool], ...]:
    # the tiles say which increments can be of that day at all: their index is at hand, that of times is not
    first, last = begin // SKU_DEMAND.tile_ms, (end - 1) // SKU_DEMAND.tile_ms
    return (
        INCREMENTS.c.tile.between(first, last),
        EVENTS.c.event_time >= begin,
        EVENTS.c.event_time < end,
    )


def _mean(total: Floats, by: Ints) -> Floats:
    mean = np.full(total.shape, np.nan)
    np.divide(total, by, out=mean, where=by > 0)
    return mean
