"""Both tiers of the feature store, for the length of a command: to look at, or to write to."""

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
    from features.retail import DEFINITIONS

    with _connected() as (online, offline):
        offline.create(DEFINITIONS)
        yield online, offline


@contextmanager
def looked_at_tiers() -> "Iterator[tuple[RedisStore, OfflineStore]]":
    """As `opened_tiers`, and nothing is made: raises `ConfigError` where the offline one lacks tables."""
    from features.offline.layouts import check_layouts
    from features.retail import DEFINITIONS
    from transport.migration import check

    with _connected() as (online, offline):
        check(offline.database)
        _check_tables(offline)
        check_layouts(offline.database, DEFINITIONS)
        yield online, offline


@contextmanager
def _connected() -> "Iterator[tuple[RedisStore, OfflineStore]]":
    from features.offline.store import open_offline
    from features.redis_store import RedisStore
    from settings import load_settings
    from transport.sql_limits import BATCH

    settings = load_settings()
    offline = open_offline(settings.database_url, limits=BATCH)
    online = RedisStore(settings.redis_url, timeout_s=TIMEOUT_S)
    try:
        yield online, offline
    finally:
        online.close()
        offline.close()


def _check_tables(offline: "OfflineStore") -> None:
    from sqlalchemy import inspect

    from events.errors import ConfigError, Problem
    from features.offline.tables import METADATA, OFFLINE_STORE
    from features.retail import DEFINITIONS

    with offline.database.reading() as connection:
        there = set(inspect(connection).get_table_names())
    if there.isdisjoint(METADATA.tables):
        way_out = "is empty: fill it by `signalbox features backfill`, or start `signalbox features pipeline`"
        raise ConfigError([Problem(OFFLINE_STORE, 0, "", way_out)])
    needed = (*METADATA.tables, *(view.table for view in DEFINITIONS.batch_views))
    if lacking := [name for name in needed if name not in there]:
        way_out = "there is no such table: `signalbox features materialize` makes it"
        raise ConfigError(Problem(OFFLINE_STORE, 0, name, way_out) for name in lacking)
