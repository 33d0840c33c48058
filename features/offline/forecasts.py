"""What was forecast, of which SKU, in which night: added once, and read by SKU or by night."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, func, select

from events.decision import Millis
from features.offline.forecast_tables import DAY_QUANTILES, FORECASTS, PLANNED, TOTAL_QUANTILES
from features.offline.sql import PARAMETERS, chunks, write_rows
from transport.clock import Clock, system_clock
from transport.database import Database
from transport.migration import prepare

_C = FORECASTS.c
_NONE = (None,) * len(DAY_QUANTILES)


Quantiles = tuple[float, ...]
"""At 0.5, 0.8, 0.9 and 0.95."""


class Day(NamedTuple):
    """Pieces on one day (ISO 8601). `totals` are of all days of the night up to and with this one.

    `quantiles` and `totals` are None in what was stored before there were any; `mean` is then near the
    median.
    """

    day: str
    mean: float
    low: float
    high: float
    quantiles: Quantiles | None = None
    totals: Quantiles | None = None

    @property
    def median(self) -> float:
        """The day's point with the least absolute error."""
        return self.mean if self.quantiles is None else self.quantiles[0]


class StoredForecast(NamedTuple):
    """One SKU's forecast of one night, and what it was made by. `created_at` is when it was stored (ms)."""

    sku: str
    night: str
    method: str
    model_id: str
    model_digest: str
    days: tuple[Day, ...]
    created_at: Millis = 0


class Made(NamedTuple):
    """How many SKUs' forecasts a method and a model made in a night, the last of them when (epoch ms)."""

    method: str
    model_id: str
    skus: int
    last: Millis


class Forecasts:
    """Forecasts in SQL. Connects at the first use; every method raises `Unavailable`."""

    def __init__(self, database: Database, clock: Clock = system_clock) -> None:
        self._database = database.of("forecast store")
        self._clock = clock

    def create(self) -> None:
        """Set up an empty store. Raises `ConfigError` if it is of another revision than this build's."""
        prepare(self._database)

    def add(self, tenant_id: str, night: str, forecasts: Sequence[StoredForecast]) -> int:
        """Store those of SKUs that have none of this night yet: how many. The first that is stored stands."""

        def insert_new(connection: Connection) -> int:
            known = set[str]()
            for chunk in chunks([forecast.sku for forecast in forecasts], PARAMETERS):
                of_night = (_C.tenant_id == tenant_id, _C.night == night, _C.sku.in_(chunk))
                known.update(connection.scalars(select(_C.sku).where(*of_night).distinct()))
            # in one order: two that store the same SKUs wait for each other, and do not deadlock
            new = sorted({each.sku: each for each in forecasts if each.sku not in known}.values())
            now = self._clock()
            write_rows(
                connection,
                FORECASTS,
                [
                    (
                        *(tenant_id, each.sku, night, *day[:4]),
                        *(each.method, each.model_id, each.model_digest, now),
                        *(day.quantiles or _NONE),
                        *(day.totals or _NONE),
                    )
                    for each in new
                    for day in each.days
                ],
            )
            return len(new)

        return self._database.write(insert_new)

    def of_night(self, tenant_id: str, night: str, skus: Sequence[str]) -> dict[str, StoredForecast]:
        """What this night said of those SKUs that it has a forecast of."""
        found: dict[str, StoredForecast] = {}
        with self._database.reading() as connection:
            for chunk in chunks(skus, PARAMETERS):
                query = _all().where(_C.tenant_id == tenant_id, _C.night == night, _C.sku.in_(chunk))
                found |= {each.sku: each for each in _stored(connection.execute(query))}
        return found

    def of_sku(self, tenant_id: str, sku: str, nights: int) -> list[StoredForecast]:
        """The newest forecasts of one SKU, the newest first."""
        whose = (_C.tenant_id == tenant_id, _C.sku == sku)
        with self._database.reading() as connection:
            newest = select(_C.night).where(*whose).distinct().order_by(_C.night.desc()).limit(nights)
            names = connection.scalars(newest).all()
            found = list(_stored(connection.execute(_all().where(*whose, _C.night.in_(names)))))
        return found[::-1]

    def of_day(self, tenant_id: str, night: str, day: str) -> dict[str, Day]:
        """What a night said of one day, by SKU."""
        here = (_C.tenant_id == tenant_id, _C.night == night, _C.day == day)
        with self._database.reading() as connection:
            return {row.sku: _day(row) for row in connection.execute(select(FORECASTS).where(*here))}

    def made(self, tenant_id: str, night: str) -> list[Made]:
        """What a night's forecasts were made by, of the SKUs that it is of; the most frequent first."""
        planned = (PLANNED.c.tenant_id == _C.tenant_id, PLANNED.c.night == _C.night, PLANNED.c.sku == _C.sku)
        query = (
            select(_C.method, _C.model_id, func.count(), func.max(_C.created_at))
            .join_from(FORECASTS, PLANNED, planned[0] & planned[1] & planned[2])
            .where(_C.tenant_id == tenant_id, _C.night == night, _C.day == night)
            .group_by(_C.method, _C.model_id)
            .order_by(func.count().desc(), _C.method)
        )
        with self._database.reading() as connection:
            return [Made(*row) for row in connection.execute(query)]


def _all() -> Select[Any]:
    return select(FORECASTS).order_by(_C.night, _C.sku, _C.day)


def _stored(rows: Iterable[Row[Any]]) -> Iterable[StoredForecast]:
    for (night, sku), of_sku in groupby(rows, key=lambda row: (row.night, row.sku)):
        days = list(of_sku)
        first = days[0]
        yield StoredForecast(
            *(sku, night, first.method, first.model_id, first.model_digest),
            tuple(map(_day, days)),
            first.created_at,
        )


def _day(row: Row[Any]) -> Day:
    found = row._mapping  # SQLAlchemy's public name for it
    quantiles, totals = (
        None if found[names[0]] is None else tuple(found[name] for name in names)
        for names in (DAY_QUANTILES, TOTAL_QUANTILES)
    )
    return Day(row.day, row.mean, row.low, row.high, quantiles, totals)
