"""Features of past orders as of each order's time, from the offline store."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from events.errors import ConfigError, Problem
from features.offline.join import point_in_time
from features.offline.store import OfflineStore
from features.retail import DEFINITIONS
from models.fraud_features import CUSTOMER, TERMINAL
from training.transactions import Entities, Places, Transactions

Floats = NDArray[np.float64]
Stored = Callable[[Sequence[str], Transactions, Places], Floats]
"""The columns of these features of the store for the transactions at these places."""


def stored_in(store: OfflineStore, tenant_id: str) -> Stored:
    """The features of a tenant's orders. The function raises `ConfigError` if the store has none of them.

    It raises `Unavailable` as well.
    """

    def stored(features: Sequence[str], transactions: Transactions, places: Places) -> Floats:
        entity_ids = {
            CUSTOMER: _named(transactions.customers, places),
            TERMINAL: _named(transactions.terminals, places),
        }
        values, missing = point_in_time(
            store, DEFINITIONS, features, entity_ids, transactions.time[places] * 1_000, tenant_id=tenant_id
        )
        if len(places) and missing.all():
            problem = f"knows none of {len(places):,} orders of {tenant_id}: `signalbox features backfill`"
            raise ConfigError([Problem("offline feature store", 0, "", problem)])
        return values

    return stored


def _named(entities: Entities, places: Places) -> list[str]:
    return [entities.ids[code] for code in entities.codes[places]]
