"""Bootstrap of the feature store: the past that it counted, and the log that the past belongs to."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

from redis.exceptions import RedisError

from events.errors import Unavailable
from features.offline.batch import BACKFILL, BACKFILL_TOPIC
from features.offline.rebasing import rebase
from features.offline.store import open_offline
from features.retail import DEFINITIONS
from stack.marks import marks_in
from transport.database import open_database
from transport.migration import Revisions, upgrade
from transport.redis_address import connect_redis
from transport.sql_limits import BATCH

KEYS = "features:*"
KEYS_AT_ONCE = 1_000
UNFINISHED = "unfinished past"
LOG = "counted log"


def knows_a_past(env: Mapping[str, str]) -> bool:
    """Whether history was ever counted, and none is half done. Makes what tables are missing.

    Raises `Unavailable`.
    """
    store = open_offline(env["DATABASE_URL"])
    store.create(DEFINITIONS)
    history = store.positions(BACKFILL_TOPIC)
    store.close()
    with marks_in(env["DATABASE_URL"]) as marks:
        return BACKFILL in history and marks.get(UNFINISHED) is None


def upgrade_store(env: Mapping[str, str]) -> Revisions:
    """Bring the SQL store to the revision of this build; what it was at. Raises as `migration.upgrade`."""
    with closing(open_database(env["DATABASE_URL"], "SQL store")) as database:
        return upgrade(database)


@contextmanager
def counting_a_past(env: Mapping[str, str]) -> Iterator[None]:
    """What is ended before the end of this `with`, even by a kill, is done again. Raises `Unavailable`."""
    with marks_in(env["DATABASE_URL"]) as marks:
        marks.set(UNFINISHED, "began")
        yield
        marks.set(UNFINISHED, None)


def follow(env: Mapping[str, str], log: str, *, unknown_is_another: bool) -> None:
    """Count in this log, by the id of its topic: on from where it is counted, else from its beginning.

    `unknown_is_another` decides where it was not written down in which log was counted so far.
    Raises `Unavailable`.
    """
    with marks_in(env["DATABASE_URL"]) as marks:
        counted = marks.get(LOG)
        if counted != log and (counted is not None or unknown_is_another):
            begin_in_another_log(env)
        marks.set(LOG, log)


def begin_in_another_log(env: Mapping[str, str]) -> None:
    """Keep what was counted, and count the log that runs now from its beginning. Raises `Unavailable`."""
    store = open_offline(env["DATABASE_URL"], limits=BATCH)
    store.create(DEFINITIONS)
    rebase(store)
    store.close()
    forget_online(env)


def forget_online(env: Mapping[str, str]) -> None:
    """Every row of the online tier: whoever misses one has it from the offline tier. Raises `Unavailable`."""
    try:
        with connect_redis(env["REDIS_URL"], socket_timeout=10) as client:
            keys = list(client.scan_iter(KEYS, count=KEYS_AT_ONCE))
            for first in range(0, len(keys), KEYS_AT_ONCE):
                client.unlink(*keys[first : first + KEYS_AT_ONCE])
    except RedisError as error:
        raise Unavailable("feature store", error) from error
