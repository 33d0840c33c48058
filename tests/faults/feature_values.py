"""Both feature tiers against a batch computation, for all entities and several times."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from features.decoding import decode_rows
from features.keys import row_key, shelf_of
from features.offline.store import OfflineStore
from features.redis_store import RedisStore
from features.retail import DEFINITIONS
from features.views import StreamView
from features.windows import Values, evaluate
from tests.faults.feature_events import Batch

TOLERANCE = 1e-9


@dataclass
class Compared:
    """How many values of a tier were held against the batch computation, and where it says otherwise.

    `absent` rows are not in the tier, and `inexact` answers say that they rest on what was folded: in both
    cases a reader asks the offline tier.
    """

    values: int = 0
    absent: int = 0
    inexact: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.values:,} values, {len(self.wrong):,} differ; "
            f"{self.absent:,} rows absent, {self.inexact:,} answers of folded rows"
        )


def compare(
    batch: Batch, tenant: str, times: Sequence[int], offline: OfflineStore, online: RedisStore
) -> tuple[Compared, Compared]:
    """The offline tier and the online one, at these times (epoch ms)."""
    of_offline, of_online = Compared(), Compared()
    for view in DEFINITIONS.stream_views:
        entities = batch.entities()[view.name]
        places = np.repeat(np.arange(len(entities)), len(times))
        at = np.tile(np.array(times, np.int64), len(entities))
        whose = [(tenant, entity) for entity in entities]
        stored = offline.increments(view, whose).increments()
        _compare(of_offline, batch, view, entities, at, evaluate(view, stored, len(whose), places, at))
        rows, _ = online.read([row_key(tenant, shelf_of(view), entity) for entity in entities])
        present = [place for place, row in enumerate(rows) if row is not None]
        of_online.absent += len(rows) - len(present)
        there = decode_rows([rows[place] for place in present], len(view.measures))
        at = np.tile(np.array(times, np.int64), len(present))
        places = np.repeat(np.arange(len(present)), len(times))
        values = evaluate(view, there, len(present), places, at)
        _compare(of_online, batch, view, [entities[place] for place in present], at, values)
    return of_offline, of_online


def _compare(
    compared: Compared,
    batch: Batch,
    view: StreamView,
    entities: Sequence[str],
    at: "np.ndarray[tuple[int], np.dtype[np.int64]]",
    values: Values,
) -> None:
    times = len(at) // max(1, len(entities))
    for place, when in enumerate(at.tolist()):
        if not values.exact[place]:
            compared.inexact += 1
            continue
        entity = entities[place // times]
        expected = batch.values(view.name, entity, when)
        for name, value in zip(view.names, values.matrix[place].tolist(), strict=True):
            compared.values += 1
            if abs(value - expected[name]) > TOLERANCE * max(1.0, abs(value)):
                compared.wrong.append(f"{name} of {entity} at {when}: {value}, is {expected[name]}")
