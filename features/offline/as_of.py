"""As-of lookup: the row of a batch view that held for an entity at a time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.increments import Ints
from features.offline.batch_tables import Version
from features.reading import Of
from features.views import DAY_S, BatchView
from features.windows import Bools


def values_at_times(
    view: BatchView, found: Sequence[Version], keys: Sequence[Of], of: NDArray[np.intp], at: Ints
) -> tuple[list[NDArray[Any]], Bools]:
    """For each field its values for entity `keys[of[i]]` at `at[i]` (epoch ms), and where they are missing.

    `found` are the `versions` of these entities. One of the very time asked for counts: it held by then.
    """
    place = {key: place for place, key in enumerate(keys)}
    times = np.array([version.event_time for version in found], np.int64)
    moments, ranks = np.unique(times, return_inverse=True)
    span = len(moments) + 1
    stored = np.array([place[version[:2]] for version in found], np.int64) * span + ranks
    # stable: of two for one time, the one that was written later stays the later
    order = np.argsort(stored, kind="stable")
    asked = of * span + np.searchsorted(moments, at, side="right")
    last = np.searchsorted(stored[order], asked) - 1
    known = last >= 0
    known[known] = stored[order][last[known]] // span == of[known]
    source = order[last[known]]
    known[known] = at[known] - times[source] <= view.ttl_days * DAY_S * 1_000
    columns: list[NDArray[Any]] = []
    for index, field in enumerate(view.fields):
        dtype = np.float64 if field.type == "number" else np.object_
        column = np.full(len(at), field.default, dtype)
        stored_values = np.array([version.values[index] for version in found], dtype)
        column[known] = stored_values[order[last[known]]]
        columns.append(column)
    return columns, ~known
