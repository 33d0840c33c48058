"""The watch with its connections, for a look or for as long as a command runs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from events.decision import Millis, dead_letter_topic
from features.offline.database import open_database
from features.offline.forecasts import Forecasts
from features.offline.nights import Nights
from features.offline.sales import Sales
from tasks.night_letters import failures
from tasks.night_watch import Failures, NightWatch
from transport.clock import system_clock
from transport.kafka import Outgoing, Publisher
from transport.tail import records_since

QUEUE = "ml.forecast.batch"
PUBLISH_S = 30.0


@contextmanager
def connected_watch(bootstrap: str, database_url: str, zone: ZoneInfo) -> Iterator[NightWatch]:
    """Connects to SQL at once, to Kafka where there is something to write or read. Raises `Unavailable`.

    Days are those of `zone`.
    """
    database = open_database(database_url)
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
