"""The processes between Kafka and Celery, and the question where an event is."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from threading import Event

    from dispatcher.process import Places


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
    from dispatcher.process import Dispatcher

    places, stop = _begin()
    raise typer.Exit(Dispatcher(places, role.value, queue, stop).run())


def reconcile() -> None:
    """Find what was fed and has no outcome, and feed it again, until SIGTERM or Ctrl-C."""
    from dispatcher.process import reconcile as run

    places, stop = _begin()
    raise typer.Exit(run(places, stop))


def _begin() -> "tuple[Places, Event]":
    """Settings, logs, metrics and signals of a process that runs until it is told to stop."""
    from threading import Event

    from commands.logs import start_logging
    from dispatcher.process import Places
    from dispatcher.threads import stop_on_signals
    from settings import load_settings
    from transport import metrics

    settings = load_settings()
    places = Places(
        bootstrap=settings.kafka_bootstrap_servers,
        broker_url=settings.celery_broker_url,
        redis_url=settings.redis,
        routing_table=settings.routing_table,
        workflows=settings.workflows,
        partitions=settings.partitions,
    )
    start_logging()
    stop = Event()
    stop_on_signals(stop)
    metrics.serve(settings.metrics_port)
    return places, stop
