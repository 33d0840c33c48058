"""Daily aggregates of each entity, by local days between the midnights of any time zone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, select

from features.increments import Ints
from features.offline.sql import PARAMETERS, among, chunks
from features.offline.tables import ENTITIES, EVENTS, INCREMENTS
from features.reading import Of
from features.sums import Floats, Halves
from features.views import StreamView
from transport.database import Database

AT_ONCE = 1_000
"""Rows that are fetched in one go, as in `features.offline.history`."""

_COLUMNS = (INCREMENTS.c.entity, EVENTS.c.event_time, INCREMENTS.c.n, INCREMENTS.c.amount)


@dataclass(frozen=True, slots=True)
class Daily:
    """A row for each entity, a column for each day: how many were counted, and their sum.

    `amount` is in units of `10**-decimals` of the measure: the nearest float to a sum that is exact.
    """

    n: Ints
    amount: Floats


def midnights(first: date, days: int, zone: ZoneInfo) -> Ints:
    """When each day begins in a time zone (epoch ms), and the one after the last: a day may have 23 hours."""
    starts = (datetime.combine(first + timedelta(days=day), time(), zone) for day in range(days + 1))
    return np.array([round(start.timestamp() * 1_000) for start in starts], np.int64)


def daily(database: Database, view: StreamView, measure: str, keys: Sequence[Of], borders: Ints) -> Daily:
    """What happened between `borders` (epoch ms, as `midnights` gives them), of entities that differ.

    Counts an event on the day on which it happened, whatever the view's own resolution. Raises `Unavailable`.
    """
    place = [each.name for each in view.measures].index(measure)
    shape = (len(keys), len(borders) - 1)
    n, high, low = (np.zeros(shape, np.int64) for _ in range(3))
    with database.reading() as connection:
        rows = _places(connection, view, keys)
        for numbers in chunks(rows, PARAMETERS):
            query = _between(numbers, place, int(borders[0]), int(borders[-1]))
            for found in _fetched(connection, query):
                of = np.array([rows[number] for number in found[:, 0].tolist()], np.intp)
                day = np.searchsorted(borders, found[:, 1], side="right") - 1
                np.add.at(n, (of, day), found[:, 2])
                halves = Halves.of(found[:, 3])
                np.add.at(high, (of, day), halves.high)
                np.add.at(low, (of, day), halves.low)
    return Daily(n, Halves(high, low).normal().floats())


def _places(connection: Connection, view: StreamView, keys: Sequence[Of]) -> dict[int, int]:
    """By an entity's number its place in `keys`; those that nothing was counted of have none."""
    wanted = {key: place for place, key in enumerate(keys)}
    columns = (ENTITIES.c.id, ENTITIES.c.tenant_id, ENTITIES.c.entity_id)
    return {
        number: wanted[tenant_id, entity_id]
        for chunk in chunks(keys, PARAMETERS)
        for number, tenant_id, entity_id in connection.execute(
            select(*columns).where(ENTITIES.c.view == view.name, among(ENTITIES, chunk))
        )
    }


def _between(numbers: Sequence[int], measure: int, begin: int, end: int) -> Select[Any]:
    return (
        select(*_COLUMNS)
        .join_from(
            INCREMENTS,
            EVENTS,
            (EVENTS.c.partition == INCREMENTS.c.partition) & (EVENTS.c.offset == INCREMENTS.c.offset),
        )
        .where(
            INCREMENTS.c.entity.in_(numbers),
            INCREMENTS.c.measure == measure,
            EVENTS.c.event_time >= begin,
            EVENTS.c.event_time < end,
        )
    )


def _fetched(connection: Connection, query: Select[Any]) -> Iterator[NDArray[np.int64]]:
    result = connection.execute(query, execution_options={"yield_per": AT_ONCE})
    width = len(_COLUMNS)
    for part in result.partitions():
        yield np.fromiter(chain.from_iterable(part), np.int64, len(part) * width).reshape(-1, width)
