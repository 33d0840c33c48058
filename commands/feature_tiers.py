"""Both tiers of the feature store, open for the length of a command: to read, or to write."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import inspect

from events.errors import ConfigError, Problem
from features.offline.layouts import check_layouts
from features.offline.store import OfflineStore, open_offline
from features.offline.tables import METADATA, OFFLINE_STORE
from features.redis_store import RedisStore
from features.retail import DEFINITIONS
from settings import load_settings
from transport.migration import check
from transport.sql_limits import BATCH

TIMEOUT_S = 10


@contextmanager
def opened_tiers() -> Iterator[tuple[RedisStore, OfflineStore]]:
    """The online and the offline one, with its tables made. Raises `ConfigError` and `Unavailable`."""
    with _connected() as (online, offline):
        offline.create(DEFINITIONS)
        yield online, offline


@contextmanager
def looked_at_tiers() -> Iterator[tuple[RedisStore, OfflineStore]]:
    """As `opened_tiers`, and nothing is made: raises `ConfigError` if the offline one lacks tables."""
    with _connected() as (online, offline):
        check(offline.database)
        _check_tables(offline)
        check_layouts(offline.database, DEFINITIONS)
        yield online, offline


@contextmanager
def _connected() -> Iterator[tuple[RedisStore, OfflineStore]]:
    settings = load_settings()
    offline = open_offline(settings.database_url, limits=BATCH)
    online = RedisStore(settings.redis_url, timeout_s=TIMEOUT_S)
    try:
        yield online, offline
    finally:
        online.close()
        offline.close()


def _check_tables(offline: OfflineStore) -> None:
    with offline.database.reading() as connection:
        there = set(inspect(connection).get_table_names())
    if there.isdisjoint(METADATA.tables):
        way_out = "is empty: fill it by `signalbox features backfill`, or start `signalbox features pipeline`"
        raise ConfigError([Problem(OFFLINE_STORE, 0, "", way_out)])
    needed = (*METADATA.tables, *(view.table for view in DEFINITIONS.batch_views))
    if lacking := [name for name in needed if name not in there]:
        way_out = "there is no such table: `signalbox features materialize` makes it"
        raise ConfigError(Problem(OFFLINE_STORE, 0, name, way_out) for name in lacking)
