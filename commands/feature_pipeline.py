"""`signalbox features pipeline`: the stream processor that keeps the features of events."""

from threading import Event

import typer

from commands.logs import start_logging
from dispatcher.threads import Threads, stop_on_signals
from features.offline.store import open_offline
from features.pipeline.member import Pipeline
from features.redis_store import RedisStore
from features.retail import DEFINITIONS
from settings import load_settings
from transport import metrics
from transport.registry import connect_schemas


def pipeline() -> None:
    """Compute the features from the stream, as one member of its group, until SIGTERM or Ctrl-C."""
    settings = load_settings()
    bootstrap, online = settings.kafka_cluster, RedisStore(settings.redis_url)
    offline, schemas = open_offline(settings.database_url), connect_schemas(settings.schema_registry)
    start_logging()
    stop = Event()
    stop_on_signals(stop)
    metrics.serve(settings.metrics_port)
    offline.create(DEFINITIONS)

    def run() -> None:
        Pipeline(
            bootstrap, DEFINITIONS, offline, online, stop, schemas=schemas, spans=settings.event_spans
        ).run()

    threads = Threads(stop)
    threads.start("feature pipeline", run)
    raise typer.Exit(threads.wait())
