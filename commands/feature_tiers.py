"""Both tiers of the feature store, for the length of a command."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from features.offline.store import OfflineStore
    from features.redis_store import RedisStore

TIMEOUT_S = 10


@contextmanager
def opened_tiers() -> "Iterator[tuple[RedisStore, OfflineStore]]":
    """The online and the offline one, with its tables made. Raises `ConfigError` and `Unavailable`."""
    from features.offline.store import open_offline
    from features.redis_store import RedisStore
    from features.retail import DEFINITIONS
    from settings import load_settings

    settings = load_settings()
    offline = open_offline(settings.database_url)
    online = RedisStore(settings.redis_url, timeout_s=TIMEOUT_S)
    try:
        offline.create(DEFINITIONS)
        yield online, offline
    finally:
        online.close()
        offline.close()
