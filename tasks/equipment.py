"""What a worker process works with: connections made after the fork, one Kafka producer a thread."""

import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from celery.utils.log import get_logger

from events.decision import Millis
from events.errors import ConfigError, Unavailable
from events.seal import Seal
from features.contract import Contract
from features.offline.layouts import check_layouts
from features.offline.reader import OfflineReader
from features.offline.tables import OFFLINE_STORE
from features.reading import Asked, FeatureReader, FeatureVector
from features.redis_store import RedisStore
from features.retail import DEFINITIONS
from features.tiered import TieredReader
from models.reports import Reports, connect_reports
from models.source import ModelPlace, Source
from tasks.outcomes import Outcomes
from tasks.suspects import Suspects, connect_suspects
from transport import migration
from transport.cluster import Bootstrap
from transport.database import Database, open_database
from transport.kafka import Outgoing
from transport.metrics import (
    BATCH_EVENTS,
    DEAD_LETTERS,
    EVENTS_RETRIED,
    INFERENCE,
    PREDICTION_LATENCY,
    PREDICTIONS,
    SLA_MISSED,
)
from transport.publisher import Publisher
from transport.retrying import RetryTally, connect_tally
from transport.sql_limits import SERVING, WAITING

logger = get_logger(__name__)

REPORT_S = 2
"""How long a producer may take to report what it dropped: it looks once a second."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the services are: bootstrap servers, the Redis of features and tallies, the offline store.

    And where the models are, and what messages are signed with.
    """

    kafka: Bootstrap
    redis: str
    database: str
    models: ModelPlace = field(default_factory=ModelPlace)
    seal: Seal = field(default_factory=Seal)


class Producers:
    """A Kafka producer for each thread that writes: one does not serve two."""

    def __init__(self, bootstrap: Bootstrap, timeout: Millis) -> None:
        self._bootstrap = bootstrap
        self._timeout = timeout
        self._local = threading.local()

    def publish(self, records: Sequence[Outgoing]) -> None:
        """Return once Kafka holds every record. Raises `Unwritten` if one is not in time."""
        if not records:
            return
        self.open().publish(records, self._timeout / 1_000 + REPORT_S)

    def open(self) -> Publisher:
        """The producer of this thread, which connects where it is asked for the first time."""
        publisher: Publisher | None = getattr(self._local, "publisher", None)
        if publisher is None:
            # what was not acknowledged in time is dropped by the producer: it will be published anew, and
            # would stand there twice
            overrides = {"message.timeout.ms": self._timeout}
            publisher = self._local.publisher = Publisher(self._bootstrap, **overrides)
        return publisher


class Readers:
    """A `FeatureReader` that is another one for each thread that asks: a connection does not serve two."""

    def __init__(self, connect: Callable[[], FeatureReader]) -> None:
        self._connect = connect
        self._local = threading.local()

    def read(self, contract: Contract, asked: Sequence[Asked]) -> Sequence[FeatureVector]:
        """One vector for each event that asks, in their order. Raises `Unavailable`."""
        reader: FeatureReader | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = self._connect()
        return reader.read(contract, asked)


@dataclass(frozen=True, slots=True)
class Equipment:
    """The connections of one process."""

    features: FeatureReader
    producers: Producers
    tally: RetryTally
    suspects: Suspects
    reports: Reports
    sources: Callable[[str], Source]
    """Where a model's versions come from, by its name."""
    seal: Seal = field(default_factory=Seal)

    @classmethod
    def connect(cls, addresses: Addresses, publish_timeout: Millis) -> "Equipment":
        """Connections to these services. Call it after the fork: a Kafka producer does not survive one.

        Ends the process if the offline store is of another schema revision, or if its features would be read
        with another meaning.
        """
        database = open_database(addresses.database, OFFLINE_STORE, WAITING)
        _check(database)
        offline, hurried = OfflineReader(database), OfflineReader(database.within(SERVING))
        return cls(
            Readers(lambda: TieredReader(DEFINITIONS, RedisStore(addresses.redis), offline, hurried)),
            Producers(addresses.kafka, publish_timeout),
            connect_tally(addresses.redis),
            connect_suspects(addresses.redis),
            connect_reports(addresses.redis),
            addresses.models.source,
            addresses.seal,
        )


def _check(database: Database) -> None:
    try:
        migration.check(database)
        check_layouts(database, DEFINITIONS)
    except ConfigError as error:
        # an error would be logged by Celery's signal, and the worker would start all the same
        logger.critical("features cannot be read: %s", error)
        sys.exit(1)
    except Unavailable as error:
        # most features stand online: whoever needs the others waits for them
        logger.warning("schema revision and layouts of stored features were not compared: %s", error)


def count(outcomes: Outcomes, workflow: str, dead_letter_topic: str) -> None:
    """Put published outcomes into the metrics."""
    queue = outcomes.attempt.queue
    BATCH_EVENTS.labels(queue).observe(len(outcomes.attempt.batch))
    if outcomes.inference_s:
        INFERENCE.labels(workflow).observe(outcomes.inference_s)
    for decision, number in outcomes.decided.items():
        PREDICTIONS.labels(workflow, decision).inc(number)
    observe = PREDICTION_LATENCY.labels(workflow).observe
    for latency in outcomes.latencies_ms:
        observe(latency / 1_000)
    SLA_MISSED.labels(workflow).inc(outcomes.late)
    for cause, number in outcomes.given_up.items():
        DEAD_LETTERS.labels(dead_letter_topic, cause).inc(number)
    EVENTS_RETRIED.labels(queue).inc(len(outcomes.again))
