"""Point-in-time join: the values known of an entity at a time. Training sees what serving saw."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from events.errors import ConfigError, Problem
from features.increments import Ints
from features.offline.as_of import values_at_times
from features.offline.history import History
from features.offline.reader import OfflineReader
from features.position import Offsets
from features.reading import Of
from features.schema import Definitions
from features.views import BatchView, RequestView, StreamView, View
from features.windows import Bools, Floats, Values, evaluate

AT_ONCE = 2_000_000
"""Increments that are looked at in one step where each query has a position of its own."""


class Joined(NamedTuple):
    """A row for each query, a column for each feature. Where `missing`, the value stands at its default."""

    matrix: Floats
    missing: Bools


def point_in_time(
    store: OfflineReader,
    definitions: Definitions,
    features: Sequence[str],
    entity_ids: Mapping[str, Sequence[str]],
    at: Ints,
    *,
    tenant_id: str,
) -> Joined:
    """The values of `features` as they were for entities at times: what came before `at[i]` (epoch ms).

    `entity_ids` has for each entity ("customer") its id in every query. A label counts from when it was
    known, as the definitions have it. Raises `ConfigError` for a feature that is not stored, is no number, or
    whose entity is not named, and `Unavailable`.
    """
    columns = _columns(definitions, features, entity_ids)
    matrix = np.empty((len(at), len(features)))
    missing = np.empty(matrix.shape, np.bool_)
    for view, wanted in columns.items():
        keys = [(tenant_id, entity_id) for entity_id in entity_ids[view.entity]]
        places = [view.names.index(features[column]) for column in wanted]
        if isinstance(view, StreamView):
            values = values_at(store, view, keys, at)
            matrix[:, wanted], missing[:, wanted] = values.matrix[:, places], values.absent[:, places]
        else:
            matrix[:, wanted], missing[:, wanted] = _batch_values(store, view, keys, at, places)
    return Joined(matrix, missing)


def values_at(
    store: OfflineReader,
    view: StreamView,
    keys: Sequence[Of],
    at: Ints,
    known: Sequence[Offsets] | None = None,
) -> Values:
    """The values of a view for entity `keys[i]` at time `at[i]` (epoch ms). Raises `Unavailable`.

    With `known`, only what the pipeline had counted by then: of each partition the increments before the
    offset that `known[i]` has for it, and of a partition that it does not name none.
    """
    rows, of = distinct(keys)
    history = store.increments(view, rows)
    if known is None:
        return evaluate(view, history.increments(), len(rows), of, at)
    begins, ends = np.searchsorted(history.of, of), np.searchsorted(history.of, of, side="right")
    parts = [
        _as_known(view, history, begins[part], ends[part], at[part], known[part])
        for part in _slices(ends - begins)
    ]
    return Values(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def distinct(keys: Sequence[Of]) -> tuple[list[Of], NDArray[np.intp]]:
    """Each entity once, and for every query the place of its own."""
    places: dict[Of, int] = {}
    of = np.fromiter((places.setdefault(key, len(places)) for key in keys), np.intp, count=len(keys))
    return list(places), of


def _as_known(
    view: StreamView, history: History, begins: Ints, ends: Ints, at: Ints, known: Sequence[Offsets]
) -> Values:
    """Each query gets a row of its own, with those of its entity's increments that were counted by then."""
    lengths = ends - begins
    of = np.repeat(np.arange(len(at)), lengths)
    places = np.arange(len(of)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + begins[of]
    partitions = sorted({partition for offsets in known for partition in offsets})
    # one more column, of zeros: for partitions that nothing was known of
    limits = np.zeros((len(at), len(partitions) + 1), np.int64)
    for column, partition in enumerate(partitions):
        limits[:, column] = [offsets.get(partition, 0) for offsets in known]
    found = history.partition[places]
    column = np.searchsorted(partitions, found)
    column[~np.isin(found, partitions)] = len(partitions)
    counted = history.offset[places] < limits[of, column]
    rows = history.taken(places[counted], of[counted])
    return evaluate(view, rows.increments(), len(at), np.arange(len(at)), at)


def _slices(lengths: Ints) -> Iterator[slice]:
    """Of queries, so that not too many increments are in one."""
    step = np.cumsum(lengths) // AT_ONCE
    borders = [0, *(np.flatnonzero(np.diff(step)) + 1).tolist(), len(lengths)]
    yield from (slice(begin, end) for begin, end in pairwise(borders))


def _batch_values(
    store: OfflineReader, view: BatchView, keys: Sequence[Of], at: Ints, places: Sequence[int]
) -> tuple[Floats, Bools]:
    rows, of = distinct(keys)
    columns, missing = values_at_times(view, store.batch.versions(view, rows), rows, of, at)
    matrix = np.column_stack([columns[place].astype(np.float64) for place in places])
    return matrix, np.repeat(missing[:, np.newaxis], len(places), axis=1)


def _columns(
    definitions: Definitions, features: Sequence[str], entity_ids: Mapping[str, Sequence[str]]
) -> dict[StreamView | BatchView, list[int]]:
    """By view, where its features stand among those asked for."""
    found: dict[StreamView | BatchView, list[int]] = {}
    problems = []
    for column, feature in enumerate(features):
        view, place = definitions.locate(feature)
        if problem := _problem(view, place, entity_ids):
            problems.append(Problem("point-in-time join", 0, feature, problem))
        elif not isinstance(view, RequestView):
            found.setdefault(view, []).append(column)
    if problems:
        raise ConfigError(problems)
    return found


def _problem(view: View, place: int, entity_ids: Mapping[str, Sequence[str]]) -> str | None:
    if isinstance(view, RequestView):
        return "stands in the event itself: it is not stored"
    if isinstance(view, BatchView) and view.fields[place].type != "number":
        return "is text, and no column of a matrix"
    if view.entity not in entity_ids:
        return f"is of {view.entity}: name their ids"
    return None
