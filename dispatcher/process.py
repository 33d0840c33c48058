"""A dispatcher as one process: the router, a feeder for each queue, and the watch on the routing table."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Literal

from dispatcher.broker import CeleryBroker
from dispatcher.feeder import Feeder
from dispatcher.lanes import Lanes, horizon_ms
from dispatcher.reconciler import Reconciler
from dispatcher.router import Router
from dispatcher.table_watch import TableWatch
from dispatcher.threads import Threads
from dispatcher.topics import DeclaredTopics
from events.errors import ConfigError, Problem, Unavailable
from events.seal import Seal
from events.timeliness import DECLARED, Spans
from transport.cluster import Bootstrap
from transport.http import HttpPlace
from transport.registry import connect_schemas
from transport.retrying import connect_tally

Role = Literal["router", "feeder", "both"]
CHECK_EVERY_S = 1.0
LOOK_FOR_LANES_EVERY_S = 10.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are, and what is declared of the topics."""

    bootstrap: Bootstrap
    broker_url: str
    redis_url: str | None
    routing_table: Path
    workflows: Path
    topics: DeclaredTopics
    schema_registry: HttpPlace | None = None
    spans: Spans = DECLARED
    seal: Seal = field(default_factory=Seal)


def reconcile(places: Places, stop: Event) -> int:
    """Reconcile until `stop` is set; answers with the process's exit code.

    Raises `ConfigError`, and `Unavailable` if Kafka is down.
    """
    lanes = Lanes(places.bootstrap, places.topics)
    watch = TableWatch(places.routing_table, places.workflows, lanes.refresh)
    reconciler = Reconciler(
        places.bootstrap,
        CeleryBroker(places.broker_url, seal=places.seal),
        lanes.all,
        lambda queue: horizon_ms(watch.rules, queue),
        stop,
    )
    threads = Threads(stop)
    threads.start("reconciler", reconciler.run)
    threads.start("table watch", lambda: _look(watch, lanes, stop))
    return threads.wait()


def _look(watch: TableWatch, lanes: Lanes, stop: Event, after: Callable[[], None] = lambda: None) -> None:
    """Look for a new table once a second, for new lanes less often; call `after` where there may be some."""
    look_at = 0.0
    while not stop.wait(CHECK_EVERY_S):
        if not watch.check() and monotonic() < look_at:
            continue
        look_at = monotonic() + LOOK_FOR_LANES_EVERY_S
        try:
            lanes.refresh(watch.rules)
        except Unavailable as error:
            _log.warning("no look for new lanes: %s", error)
        after()


class Dispatcher:
    """Starts the threads of a role, and those of queues that a new table brings."""

    def __init__(self, places: Places, role: Role, queue: str | None, stop: Event) -> None:
        """With `queue`, only that one is fed. Raises `ConfigError`, and `Unavailable` if Kafka is down."""
        self._places = places
        self._role = role
        self._queue = queue
        self._stop = stop
        self._fed: set[str] = set()
        self._threads = Threads(stop)
        self._lanes = Lanes(places.bootstrap, places.topics)
        self._watch = TableWatch(places.routing_table, places.workflows, self._lanes.prepare)
        self._check_queue(queue)

    def run(self) -> int:
        """Dispatch until `stop` is set. Answers with the process's exit code."""
        _log.info("routing table %s is in force", self._watch.table.hash)
        if self._role != "feeder":
            self._threads.start("router", self._route)
        feeds = self._role != "router"
        if feeds:
            self._start_feeders()
        after = self._start_feeders if feeds else lambda: None
        self._threads.start("table watch", lambda: _look(self._watch, self._lanes, self._stop, after))
        return self._threads.wait()

    def _check_queue(self, queue: str | None) -> None:
        queues = self._watch.rules.catalogue.queues
        if queue is not None and not (queue in queues and queues[queue].served):
            served = ", ".join(sorted(name for name, spec in queues.items() if spec.served))
            problem = Problem(str(self._places.workflows), 0, queue, f"no pool serves it; served: {served}")
            raise ConfigError([problem])

    def _route(self) -> None:
        schemas = connect_schemas(self._places.schema_registry)
        Router(
            self._places.bootstrap,
            lambda: self._watch.table,
            self._stop,
            schemas=schemas,
            spans=self._places.spans,
        ).run()

    def _start_feeders(self) -> None:
        for queue in sorted(set(self._lanes.queues()) - self._fed):
            if self._queue in (None, queue):
                self._fed.add(queue)
                self._threads.start(f"feeder of {queue}", self._feeder(queue))

    def _feeder(self, queue: str) -> Callable[[], None]:
        window = self._watch.rules.catalogue.queues[queue].window

        def feed() -> None:
            tally = connect_tally(self._places.redis_url) if self._places.redis_url else None
            broker = CeleryBroker(self._places.broker_url, tally, seal=self._places.seal)
            Feeder(
                queue, self._places.bootstrap, broker, lambda: self._lanes.of(queue), window, self._stop
            ).run()

        return feed
