"""Churn training data: customers at moments, the features known then, and who stayed away.

Everything comes out of the offline store's point-in-time join, the label too: who has as many orders at the
end of the horizon as at its beginning has stayed away.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from events.decision import Millis
from features.offline.join import point_in_time
from features.offline.reader import OfflineReader
from features.retail import CUSTOMER_ORDERS, DEFINITIONS
from models.churn_features import CUSTOMER, NEEDS, ORDERS, RECENCY
from training.churn_split import DAY_MS, Split, refused

ACTIVE_DAYS = 90
"""Who ordered nothing for longer is gone by any measure, and would only make the figures look good."""
CUSTOMERS_AT_ONCE = 10_000

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def known_days(store: OfflineReader, tenant_id: str) -> tuple[Millis, Millis]:
    """From the day of a tenant's first order to that of the last, which may not be over: midnights, UTC.

    Raises `ConfigError` if there is none, and `Unavailable`.
    """
    span = store.span(CUSTOMER_ORDERS, tenant_id)
    if span is None:
        raise refused(f"knows no order of {tenant_id}: `signalbox features backfill`")
    first, last = span
    return first - first % DAY_MS, last - last % DAY_MS


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """A row for each customer at each moment; `stayed_away` is 1 for who did not order within the horizon.

    `matrix` has the columns `models.churn_features.NEEDS.names`.
    """

    customers: Sequence[str]
    at: Ints
    matrix: Floats
    stayed_away: Ints

    def of(self, moments: Sequence[Millis]) -> "Examples":
        """Those of some moments."""
        return self._at(np.flatnonzero(np.isin(self.at, moments)))

    def first(self, rows: int) -> "Examples":
        """As many of them."""
        return self._at(np.arange(min(rows, len(self.at))))

    def _at(self, places: NDArray[np.intp]) -> "Examples":
        customers = [self.customers[place] for place in places.tolist()]
        return Examples(customers, self.at[places], self.matrix[places], self.stayed_away[places])

    def digest(self) -> str:
        """SHA-256 of what the rows say, in hex."""
        sha = hashlib.sha256("\n".join(self.customers).encode())
        for column, kind in ((self.at, "<i8"), (self.matrix, "<f8"), (self.stayed_away, "<i8")):
            sha.update(column.astype(kind).tobytes())
        return sha.hexdigest()


def examples(store: OfflineReader, tenant_id: str, split: Split) -> Examples:
    """Of all customers of a tenant who had ordered within `ACTIVE_DAYS` before a moment, at every moment.

    Raises `ConfigError` if a part has not both kinds of them, and `Unavailable`.
    """
    moments = np.array([at for part in split.parts.values() for at in part], np.int64)
    known = sorted(_customers(store, tenant_id))
    parts = []
    for first in range(0, len(known), CUSTOMERS_AT_ONCE):
        some = known[first : first + CUSTOMERS_AT_ONCE]
        everywhere = [customer for customer in some for _ in moments]
        at = np.tile(moments, len(some))
        parts.append(examples_at(store, tenant_id, everywhere, at, split.horizon_days))
    found = Examples(
        [customer for part in parts for customer in part.customers],
        np.concatenate([np.empty(0, np.int64), *(part.at for part in parts)]),
        np.concatenate([np.empty((0, len(NEEDS.stored))), *(part.matrix for part in parts)]),
        np.concatenate([np.empty(0, np.int64), *(part.stayed_away for part in parts)]),
    )
    _check_labels(found, split)
    return found


def examples_at(
    store: OfflineReader, tenant_id: str, customers: Sequence[str], at: Ints, horizon_days: int
) -> Examples:
    """Customer `customers[i]` at `at[i]` (epoch ms), without those who ordered nothing in `ACTIVE_DAYS`.

    Raises `Unavailable`.
    """
    names = NEEDS.stored
    values, missing = point_in_time(store, DEFINITIONS, names, {CUSTOMER: customers}, at, tenant_id=tenant_id)
    recency = names.index(RECENCY)
    places = np.flatnonzero(~missing[:, recency] & (values[:, recency] <= ACTIVE_DAYS))
    there = [customers[place] for place in places.tolist()]
    later = at[places] + horizon_days * DAY_MS
    after, _ = point_in_time(store, DEFINITIONS, (ORDERS,), {CUSTOMER: there}, later, tenant_id=tenant_id)
    before = values[places, names.index(ORDERS)]
    return Examples(there, at[places], values[places], (after[:, 0] == before).astype(np.int64))


def _customers(store: OfflineReader, tenant_id: str) -> Iterator[str]:
    number = 0
    while some := store.entities(CUSTOMER_ORDERS, number, CUSTOMERS_AT_ONCE):
        yield from (entity_id for _, (tenant, entity_id) in some if tenant == tenant_id)
        number = some[-1][0]


def _check_labels(found: Examples, split: Split) -> None:
    for part, moments in split.parts.items():
        labels = found.of(moments).stayed_away
        if labels.sum() in (0, len(labels)):
            told = f"{part}: {len(labels):,} customers, {int(labels.sum()):,} of whom stayed away"
            raise refused(f"{told}; both kinds are needed: choose another horizon or other days")
