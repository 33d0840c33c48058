"""Makes a Celery app the worker of its queues: it imports, limits and serves what belongs to them only."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from logging import LogRecord, getLogger
from typing import Any, cast

import billiard.pool
from billiard.exceptions import WorkerLostError
from celery import Celery
from celery.concurrency import get_implementation
from celery.concurrency.thread import TaskPool as ThreadPool
from celery.signals import celeryd_init, worker_init, worker_process_init, worker_shutting_down
from celery.utils.log import get_logger

from events.errors import ConfigError, Problem, SignalboxError
from routing import nearest
from routing.catalogue import Catalogue, QueueSpec
from tasks import redis_transport
from tasks.base import EventTask
from tasks.belonging import Belonging
from tasks.configuration import settings, time_limits, worker_transport_options
from tasks.equipment import Addresses, Equipment
from tasks.inference import InferenceTask
from tasks.malformed import RecordMalformed
from tasks.memory import keep_memory
from tasks.misplaced import Holds, SendsHome
from tasks.policy import Limits
from tasks.stopping import STOPPING
from tasks.streaks import fingerprint
from transport import amqp_tls

logger = get_logger(__name__)

RESULTS_WAIT_TENTHS = 30
"""Tenths of a second: how long a pool process that ends waits for its results to be counted."""


def names_in(option: object) -> tuple[str, ...]:
    """What `-Q` and `-X` name, as Celery hands it over: None, a text, or texts."""
    texts = option.split(",") if isinstance(option, str) else option or ()
    return tuple(str(text) for text in cast(Iterable[object], texts) if str(text).strip())


def select(
    queues: Sequence[QueueSpec], names: Sequence[str] | None, excluded: Sequence[str] = ()
) -> tuple[QueueSpec, ...]:
    """The queues of a worker: those that it names, or all, without the excluded. Raises `ConfigError`."""
    known = {spec.name: spec for spec in queues}
    problems = [
        *(_unknown("worker -Q", name, known) for name in names or () if name not in known),
        *(_unknown("worker -X", name, known) for name in excluded if name not in known),
    ]
    chosen = tuple(known[name] for name in names or known if name in known and name not in excluded)
    if not problems and known and not chosen:
        problems = [Problem("worker", 0, "-X", "no queue is left: every one of -Q is excluded")]
    if problems:
        raise ConfigError(problems)
    return chosen


def _unknown(option: str, name: str, known: Mapping[str, QueueSpec]) -> Problem:
    if name.strip() in known:
        return Problem(option, 0, f'"{name}"', f"write it without spaces: {name.strip()}")
    return Problem(option, 0, name, f"no served workflow has this queue{nearest(name, known)}")


def check_pool(pool: object) -> None:
    """Raises `ConfigError` for a pool in which Kafka's and the models' libraries would block each other."""
    module = pool if isinstance(pool, str) else getattr(pool, "__module__", "")
    if any(name in str(module) for name in ("gevent", "eventlet")):
        why = "the Kafka client and the models' libraries block a green thread, and with it all others"
        raise ConfigError([Problem("worker", 0, "-P", f"take prefork, threads or solo: {why}")])


def import_modules(app: Celery, modules: Iterable[str]) -> None:
    """Import the modules of these tasks. Raises `ConfigError` that names the one which cannot be, and why."""
    for module in modules:
        try:
            app.loader.import_task_module(module)
        except SyntaxError as error:
            why = f"SyntaxError: {error.msg}"
            raise ConfigError([Problem(error.filename or module, error.lineno or 0, module, why)]) from error
        except Exception as error:
            # whatever a module does when it is imported: its own pool cannot be, and says so in one line
            why = f"cannot be imported: {fingerprint(error)}: {error}"
            raise ConfigError([Problem("worker", 0, module, why)]) from error


def check_tasks(queues: Iterable[QueueSpec], registered: Iterable[str]) -> None:
    """Raises `ConfigError` if a queue's task is in none of the modules that were imported for it."""
    known = set(registered)
    problems = [
        Problem("config", 0, spec.name, f"its module has no task {spec.task}{nearest(spec.task, known)}")
        for spec in queues
        if spec.task not in known
    ]
    if problems:
        raise ConfigError(problems)


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
        *,
        imports: bool = False,
    ) -> None:
        """`imports`: whether its tasks are in modules that it is to import."""
        self._app = app
        self._broker_url = broker_url
        self._queues = tuple(queues)
        self._addresses = addresses
        self._imports = imports

    def connect_signals(self) -> None:
        """Called once per app, where it is made."""
        celeryd_init.connect(self.narrow, weak=False)
        worker_init.connect(self.equip_threads, weak=False)
        worker_process_init.connect(self.equip, weak=False)
        worker_shutting_down.connect(_stopping, weak=False)

    def narrow(self, options: Mapping[str, Any], **_: Any) -> None:
        """A worker starts: its `-Q` decides on its size, its time limits, and how it reaches Redis."""
        STOPPING.clear()
        conf = self._app.conf
        try:
            check_pool(options.get("pool_cls"))
            names, excluded = names_in(options.get("queues")), names_in(options.get("exclude_queues"))
            all_queues, self._queues = self._queues, select(self._queues, names, excluded)
            conf.signalbox_belonging = Belonging.of(all_queues, conf.beat_schedule, self._queues)
            if self._imports:
                import_modules(self._app, conf.signalbox_belonging.modules)
                check_tasks(self._queues, self._app.tasks)
            self._addresses()
        except ConfigError as error:
            # an error would be logged by Celery's signal, and the worker would start all the same
            sys.exit(f"signalbox: {error}")
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
        except SignalboxError as error:
            logger.critical("%s cannot be served: %s", serving, error)
            sys.exit(1)
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


def in_one_line(record: LogRecord) -> bool:
    """A filter for Celery's log: a pool that did not start has said why, and 70 lines more would hide it."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, WorkerLostError):
        record.msg, record.args, record.exc_info = (
            "the pool did not start: see above for the reason",
            (),
            None,
        )
    return True


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
    """The app of every worker, of beat and of Flower.

    By default a worker imports the modules of its own queues' tasks, and beat and Flower import none.
    `include` are modules for all of them instead.
    """
    queues = tuple(spec for spec in catalogue.queues.values() if spec.served)
    redis_transport.install()
    amqp_tls.install()
    app = Celery(name, include=list(include or ()))
    app.conf.update(settings(broker_url, queues, schedule or {}))
    for task in (RecordMalformed(), SendsHome(), Holds()):
        app.register_task(task)
    Worker(app, broker_url, queues, addresses, imports=include is None).connect_signals()
    getLogger("celery.worker.worker").addFilter(in_one_line)
    return app
