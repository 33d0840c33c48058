"""`signalbox dispatcher`, `reconcile` and `where`: dispatcher processes, and an event's trace."""

from enum import StrEnum
from threading import Event
from typing import Annotated

import typer

import routing
from commands.logs import start_logging
from dispatcher.process import Dispatcher, Places
from dispatcher.process import reconcile as run
from dispatcher.threads import stop_on_signals
from dispatcher.topics import DeclaredTopics
from dispatcher.where import Search
from dispatcher.whereabouts import account
from settings import load_settings
from transport import metrics
from transport.clock import system_clock
from transport.kafka import admin_client
from transport.registry import connect_schemas
from transport.retrying import connect_tally
from transport.topics import existing_topics


class RoleOption(StrEnum):
    """Which part of a dispatcher runs."""

    ROUTER = "router"
    FEEDER = "feeder"
    BOTH = "both"


def dispatcher(
    role: Annotated[RoleOption, typer.Option(help="Which part this process runs.")] = RoleOption.BOTH,
    queue: Annotated[str | None, typer.Option(help="Feed this queue alone.")] = None,
) -> None:
    """Route events to their lanes and feed the Celery queues from them, until SIGTERM or Ctrl-C."""
    places, stop = _begin()
    raise typer.Exit(Dispatcher(places, role.value, queue, stop).run())


def reconcile() -> None:
    """Find what was fed and has no outcome, and feed it again, until SIGTERM or Ctrl-C."""
    places, stop = _begin()
    raise typer.Exit(run(places, stop))


def where(
    event_id: Annotated[str, typer.Argument(help="The `event_id` of its envelope.")],
    since_hours: Annotated[float, typer.Option(help="How far back to read.")] = 24,
    seconds: Annotated[float, typer.Option(help="How long to read at most.")] = 60,
) -> None:
    """Tell from the logs where an event is, and what came of it. Exit code 1 if it is in none."""
    settings = load_settings()
    bootstrap = settings.kafka_cluster
    catalogue = routing.load(settings.routing_table, settings.workflows).catalogue
    topics = existing_topics(admin_client(bootstrap))
    schemas = connect_schemas(settings.schema_registry)
    since = system_clock() - int(since_hours * 3_600_000)
    found = Search(bootstrap, catalogue, event_id, schemas=schemas).run(topics, since, seconds)
    tally = connect_tally(settings.redis) if settings.redis else None
    retrying = {queue: tally.count(queue) for queue in catalogue.queues} if tally else {}
    for line in account(event_id, found.sightings, retrying):
        typer.echo(line)
    if found.unfinished:
        typer.echo(
            f"not read to the end in {seconds:g} s: {', '.join(found.unfinished)}; give --seconds more"
        )
    raise typer.Exit(0 if found.sightings else 1)


def _begin() -> tuple[Places, Event]:
    """Settings, logs, metrics and signals of a process that runs until it is told to stop."""
    settings = load_settings()
    places = Places(
        bootstrap=settings.kafka_cluster,
        broker_url=settings.celery_broker_url,
        redis_url=settings.redis,
        routing_table=settings.routing_table,
        workflows=settings.workflows,
        topics=DeclaredTopics(settings.topics, settings.partitions, settings.replicas),
        schema_registry=settings.schema_registry,
        spans=settings.event_spans,
        seal=settings.seal,
    )
    start_logging()
    stop = Event()
    stop_on_signals(stop)
    metrics.serve(settings.metrics_port)
    return places, stop
