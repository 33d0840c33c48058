"""A database whose increments were stored by another layout than the views have."""

from dataclasses import replace
from pathlib import Path

from features.offline.store import open_offline
from features.retail import CUSTOMER_ORDERS, DEFINITIONS
from features.schema import Definitions


def misread_database(folder: Path) -> str:
    """Its URL. The view `customer_orders` had minutes for tiles."""
    url = f"sqlite:///{folder / 'misread.db'}"
    minutes = replace(CUSTOMER_ORDERS, resolution_s=60)
    store = open_offline(url)
    store.create(Definitions.of(DEFINITIONS.entities.values(), [minutes]))
    store.close()
    return url
