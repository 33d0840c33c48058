"""The increments of some entities one by one, in columns: what each event added."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, select

from events.decision import Millis
from features.increments import Increments, Ints, Positions
from features.offline.sql import PARAMETERS, among, chunks
from features.offline.tables import ENTITIES, EVENTS, INCREMENTS
from features.reading import Of
from features.views import StreamView

AT_ONCE = 1_000
"""Rows that are fetched in one go: lists of many more are twice as slow, as they leave the cache."""
WHOLE_VIEW = 20_000
"""With more entities than this, reading all of the view is quicker than asking for each."""

_NAMES = ("partition", "offset", "measure", "tile", "n", "amount")
_COLUMNS = tuple(INCREMENTS.c[name] for name in ("entity", *_NAMES))


@dataclass(frozen=True, slots=True)
class History:
    """Columns of increments, by entity; `of` is the place of each one's entity among those asked for."""

    of: NDArray[np.intp]
    partition: Ints
    offset: Ints
    measure: Ints
    tile: Ints
    n: Ints
    amount: Ints

    def increments(self) -> Increments:
        """The same as an evaluation takes them."""
        return Increments(
            self.of, self.tile, self.measure, self.n, self.amount, base=None, positions=Positions.of()
        )

    def taken(self, places: NDArray[np.intp], of: NDArray[np.intp]) -> "History":
        """Those at some places, as the increments of others."""
        return History(of, *(getattr(self, name)[places] for name in _NAMES))


class Told(NamedTuple):
    """One increment and the event that it is of: when that happened, and when it was counted (epoch ms)."""

    event_time: Millis
    created_at: Millis
    event_id: str
    partition: int
    offset: int
    measure: int
    n: int
    amount: int


def history(connection: Connection, view: StreamView, keys: Sequence[Of]) -> History:
    """All increments of these entities, which differ from each other."""
    places = {key: place for place, key in enumerate(keys)}
    numbers = _numbers(connection, view, places)
    if len(keys) > WHOLE_VIEW:
        parts = [_fetched(connection, increments_of_view(view))]
    else:
        parts = [
            _fetched(connection, select(*_COLUMNS).where(INCREMENTS.c.entity.in_(chunk)))
            for chunk in chunks(numbers, PARAMETERS)
        ]
    found = np.concatenate([np.empty((0, len(_COLUMNS)), np.int64), *parts])
    known = np.array(sorted(numbers), np.int64)
    if len(keys) > WHOLE_VIEW:
        found = found[np.isin(found[:, 0], known)]
    place_of = np.array([numbers[number] for number in known.tolist()], np.intp)
    of = place_of[np.searchsorted(known, found[:, 0])] if len(known) else np.empty(0, np.intp)
    order = np.argsort(of, kind="stable")
    return History(of[order], *(np.ascontiguousarray(column[order]) for column in found.T[1:]))


def increments_of_view(view: StreamView) -> Select[Any]:
    """Everything that a view has."""
    whose = select(ENTITIES.c.id).where(ENTITIES.c.view == view.name)
    return select(*_COLUMNS).where(INCREMENTS.c.entity.in_(whose))


def told(view: StreamView, key: Of, limit: int) -> Select[Any]:
    """The newest increments of one entity, with the events that they are of."""
    return (
        select(
            EVENTS.c.event_time,
            EVENTS.c.created_at,
            EVENTS.c.event_id,
            *(INCREMENTS.c[name] for name in ("partition", "offset", "measure", "n", "amount")),
        )
        .join_from(ENTITIES, INCREMENTS, INCREMENTS.c.entity == ENTITIES.c.id)
        .join(
            EVENTS,
            (EVENTS.c.partition == INCREMENTS.c.partition) & (EVENTS.c.offset == INCREMENTS.c.offset),
        )
        .where(ENTITIES.c.view == view.name, among(ENTITIES, [key]))
        .order_by(
            EVENTS.c.event_time.desc(), INCREMENTS.c.partition, INCREMENTS.c.offset, INCREMENTS.c.ordinal
        )
        .limit(limit)
    )


def _numbers(connection: Connection, view: StreamView, places: Mapping[Of, int]) -> dict[int, int]:
    """The place of each entity that is known, by its number."""
    columns = (ENTITIES.c.id, ENTITIES.c.tenant_id, ENTITIES.c.entity_id)
    of_view = select(*columns).where(ENTITIES.c.view == view.name)
    if len(places) > WHOLE_VIEW:
        queries = [of_view]
    else:
        queries = [of_view.where(among(ENTITIES, chunk)) for chunk in chunks(places, PARAMETERS)]
    return {
        number: places[tenant_id, entity_id]
        for query in queries
        for number, tenant_id, entity_id in connection.execute(query)
        if (tenant_id, entity_id) in places
    }


def _fetched(connection: Connection, query: Select[Any]) -> Ints:
    result = connection.execute(query, execution_options={"yield_per": AT_ONCE})
    width = len(_COLUMNS)
    parts = [
        np.fromiter(chain.from_iterable(part), np.int64, count=len(part) * width).reshape(-1, width)
        for part in result.partitions()
    ]
    return np.concatenate([np.empty((0, width), np.int64), *parts])
