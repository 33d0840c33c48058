"""The watch with its connections, for a look or as long as a command runs; and up to when sales are known."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from events.decision import Millis, dead_letter_topic
from features.counted import counted_until
from features.offline.forecasts import Forecasts
from features.offline.nights import Nights
from features.offline.sales import Sales
from features.redis_store import RedisStore
from tasks.night_letters import failures
from tasks.night_watch import Failures, NightWatch
from transport.clock import system_clock
from transport.cluster import Bootstrap
from transport.database import open_database
from transport.kafka import Outgoing
from transport.publisher import Publisher
from transport.sql_limits import BATCH
from transport.tail import records_since

QUEUE = "ml.forecast.batch"
PUBLISH_S = 30.0
REDIS_S = 10.0


def sales_known_until(database_url: str, redis_url: str) -> Millis | None:
    """Epoch ms; None if unknown. Raises `Unavailable`."""
    database, shelf = open_database(database_url, limits=BATCH), RedisStore(redis_url, timeout_s=REDIS_S)
    try:
        return counted_until(database, shelf)
    finally:
        shelf.close()
        database.close()


@contextmanager
def connected_watch(bootstrap: Bootstrap, database_url: str, zone: ZoneInfo) -> Iterator[NightWatch]:
    """Connects to SQL at once, to Kafka where there is something to write or read. Raises `Unavailable`.

    Days are those of `zone`.
    """
    database = open_database(database_url, limits=BATCH)
    forecasts = Forecasts(database)

    def publish(records: Sequence[Outgoing]) -> None:
        Publisher(bootstrap).publish(records, PUBLISH_S)

    def given_up(since: Millis) -> Failures:
        return failures(records_since(bootstrap, dead_letter_topic(QUEUE), since))

    try:
        forecasts.create()
        yield NightWatch(Nights(database), forecasts, Sales(database, zone), given_up, publish, system_clock)
    finally:
        database.close()
