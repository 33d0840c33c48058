"""How does a Celery app become a worker of its queues?"""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import billiard.pool
from celery import Celery
from celery.concurrency import get_implementation
from celery.concurrency.thread import TaskPool as ThreadPool
from celery.signals import celeryd_init, worker_init, worker_process_init, worker_shutting_down
from celery.utils.log import get_logger
from celery.utils.text import str_to_list

from events.errors import ConfigError, Problem
from routing import nearest
from routing.catalogue import Catalogue, QueueSpec
from tasks import redis_transport
from tasks.base import EventTask
from tasks.configuration import settings, time_limits, worker_transport_options
from tasks.equipment import Addresses, Equipment
from tasks.inference import InferenceTask
from tasks.malformed import RecordMalformed
from tasks.memory import keep_memory
from tasks.policy import Limits
from tasks.stopping import STOPPING
from transport import amqp_tls

logger = get_logger(__name__)

RESULTS_WAIT_TENTHS = 30
"""Tenths of a second: how long a pool process that ends waits for its results to be counted."""


def select(queues: Sequence[QueueSpec], names: Sequence[str] | None) -> tuple[QueueSpec, ...]:
    """The queues that a worker was told to serve; all where it was told none. Raises `ConfigError`."""
    if not names:
        return tuple(queues)
    known = {spec.name: spec for spec in queues}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigError(
            Problem("worker -Q", 0, name, f"no served workflow has this queue{nearest(name, known)}")
            for name in unknown
        )
    return tuple(known[name] for name in names)


class Worker:
    """One app, the queues that it serves in this process tree, and where its services are.

    `addresses` is asked once the app is to be a worker: beat and Flower do without most of them.
    """

    def __init__(
        self,
        app: Celery,
        broker_url: str,
        queues: Sequence[QueueSpec],
        addresses: Callable[[], Addresses],
    ) -> None:
        self._app = app
        self._broker_url = broker_url
        self._queues = tuple(queues)
        self._addresses = addresses

    def connect_signals(self) -> None:
        """Called once per app, where it is made."""
        celeryd_init.connect(self.narrow, weak=False)
        worker_init.connect(self.equip_threads, weak=False)
        worker_process_init.connect(self.equip, weak=False)
        worker_shutting_down.connect(_stopping, weak=False)

    def narrow(self, options: Mapping[str, Any], **_: Any) -> None:
        """A worker starts: its `-Q` decides on its size, its time limits, and how it reaches Redis."""
        STOPPING.clear()
        try:
            self._queues = select(self._queues, str_to_list(options.get("queues") or ""))
            self._addresses()
        except ConfigError as error:
            # an error would be logged by Celery's signal, and the worker would start all the same
            sys.exit(f"signalbox: {error}")
        conf = self._app.conf
        if len(self._queues) == 1:
            conf.worker_concurrency = self._queues[0].concurrency
            conf.worker_prefetch_multiplier = self._queues[0].prefetch
        conf.broker_transport_options = worker_transport_options(self._broker_url, self._queues)
        limits = time_limits(self._queues)
        for task in self._inference_tasks():
            task.served = task.name in limits
            if task.served:
                task.soft_time_limit, task.time_limit = limits[task.name]

    def equip(self, **_: Any) -> None:
        """A process of the pool begins: it connects, and loads its models before it takes work."""
        limits, serving = Limits.of(self._queues), ", ".join(spec.name for spec in self._queues)
        try:
            equipment = Equipment.connect(self._addresses(), limits.publish)
            for task in self._app.tasks.values():
                if isinstance(task, EventTask) and task.served:
                    serving = task.name
                    task.equip(equipment, limits)
            equipment.producers.open()
        except Exception as error:
            # the outermost: an error would be logged by Celery's signal, and the worker would start all the
            # same, and acknowledge each message that it cannot work on
            logger.critical("%s cannot be served: %s", serving, error, exc_info=True)
            sys.exit(1)
        # a process that ends waits until all its results were counted, for 30 s where one was overlooked, as
        # happens in one stop of forty: its message comes again by then or later
        billiard.pool.GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT = RESULTS_WAIT_TENTHS
        keep_memory()

    def equip_threads(self, sender: Any, **_: Any) -> None:
        """A worker starts: where its pool is of threads, no process of its own will begin."""
        if get_implementation(sender.pool_cls) is ThreadPool:
            # Celery does so a moment later; until then nobody hears what is loaded, or why it is not
            sender.setup_logging()
            self.equip()

    def _inference_tasks(self) -> list[InferenceTask]:
        return [task for task in self._app.tasks.values() if isinstance(task, InferenceTask)]


def _stopping(**_: Any) -> None:
    STOPPING.set()


def make_app(
    name: str,
    broker_url: str,
    catalogue: Catalogue,
    addresses: Callable[[], Addresses],
    *,
    include: Sequence[str] | None = None,
    schedule: Mapping[str, Any] | None = None,
) -> Celery:
    """The app of every worker, of beat and of Flower. `include` defaults to the served tasks' modules."""
    queues = tuple(spec for spec in catalogue.queues.values() if spec.served)
    modules = sorted({spec.task.rpartition(".")[0] for spec in queues}) if include is None else list(include)
    redis_transport.install()
    amqp_tls.install()
    app = Celery(name, include=modules)
    app.conf.update(settings(broker_url, queues, schedule or {}))
    app.register_task(RecordMalformed())
    Worker(app, broker_url, queues, addresses).connect_signals()
    return app
