"""An offline store on each of the two databases."""

from collections.abc import Iterator

import pytest

from features.offline.store import OfflineStore, open_offline
from features.retail import DEFINITIONS


@pytest.fixture
def store(offline_url: str) -> Iterator[OfflineStore]:
    """A store with its tables made."""
    store = open_offline(offline_url)
    store.create(DEFINITIONS)
    yield store
    store.close()
