"""Tasks that run in the test's own process, on kombu's in-memory broker."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from celery import Celery
from fakeredis import FakeServer, FakeStrictRedis

from events.lane import Batch, decode_batch, encode_batch
from events.seal import Seal
from models.reports import Reports
from models.source import ModelPlace
from models.workflow import Workflow
from tasks.base import EventTask
from tasks.configuration import settings
from tasks.equipment import Equipment
from tasks.inference import InferenceTask
from tasks.malformed import RecordMalformed
from tasks.policy import Limits
from tasks.suspects import Suspects
from tests.unit.tasks.fakes import NOW, FakeTimer, Kafka, Scripted, Store
from tests.unit.tasks.test_policy import spec
from transport.queues import celery_queue
from transport.retrying import RetryTally

TASK = "tests.scripted.decide"


class Decide(InferenceTask):
    """A workflow of the test's."""

    name = TASK
    scripted: Workflow

    def start(self, equipment: Equipment) -> Workflow:
        """It is there already."""
        return self.scripted

    def current(self) -> Workflow:
        """As the test says by then."""
        return self.scripted


@dataclass
class Bench:
    """One worker process of one queue, without the worker."""

    workflow: Scripted = field(default_factory=Scripted)
    store: Store = field(default_factory=Store)
    kafka: Kafka = field(default_factory=Kafka)
    stopping: bool = False
    seal: Seal = field(default_factory=Seal)

    def __post_init__(self) -> None:
        self.queue = f"ml.test.{uuid4().hex[:8]}"
        queue = spec(name=self.queue, task=TASK)
        self.app = Celery("bench", set_as_current=False)
        self.app.conf.update(settings("redis://127.0.0.1:9/0", [queue], {}))
        # messages that are sent stay in this process
        self.app.conf.update(
            dict.fromkeys(("broker_url", "broker_read_url", "broker_write_url"), "memory://")
        )
        self.app.conf.broker_transport_options = {}
        self.timer = FakeTimer()
        self.redis = FakeServer()
        self.tally = RetryTally(FakeStrictRedis(server=self.redis), clock=lambda: NOW)
        equipment = Equipment(
            self.store,
            self.kafka,  # type: ignore[arg-type]  # it has the one method that is used
            self.tally,
            Suspects(FakeStrictRedis(server=self.redis)),
            Reports(FakeStrictRedis(server=self.redis)),
            ModelPlace().source,
            self.seal,
        )
        task = Decide()
        task.scripted = self.workflow
        self.task = self._ready(self.app.register_task(task), equipment, queue)
        self.malformed = self._ready(self.app.register_task(RecordMalformed()), equipment, queue)

    def _ready(self, task: Any, equipment: Equipment, queue: Any) -> Any:
        task.timer = self.timer
        task.clock = lambda: NOW
        task.stopping = lambda: self.stopping
        task.equip(equipment, Limits.of([queue]))
        return task

    def run(self, batch: Batch, task_id: str = "first", **message: Any) -> str:
        """Run the task on a message with this batch; raises what tells Celery to retry or to requeue."""
        return self.run_with((encode_batch(batch),), {}, task_id, **message)

    def run_with(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], task_id: str = "first", **message: Any
    ) -> str:
        """The same with whatever arguments."""
        with self.message(self.task, args, kwargs, task_id, **message):
            return str(self.task.run(*args, **kwargs))

    @contextmanager
    def message(
        self,
        task: EventTask,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        task_id: str,
        retries: int = 0,
        redelivered: bool = False,
        priority: int = 3,
    ) -> Iterator[None]:
        info = {
            "exchange": "",
            "routing_key": self.queue,
            "priority": priority,
            "redelivered": redelivered,
        }
        task.push_request(
            id=task_id, args=args, kwargs=kwargs, retries=retries, delivery_info=info, called_directly=False
        )
        try:
            yield
        finally:
            task.pop_request()

    def sent(self) -> list["Sent"]:
        """What the broker was given meanwhile, in order."""
        found = []
        with self.app.connection_for_read() as connection:
            queue = celery_queue(self.queue)(connection.default_channel)
            queue.declare()
            while (message := queue.get(no_ack=True)) is not None:
                found.append(Sent(message))
        return found


class Sent:
    """A message on the broker."""

    def __init__(self, message: Any) -> None:
        self.id = message.headers["id"]
        self.retries = message.headers["retries"]
        self.eta = message.headers["eta"]
        self.shown = message.headers["argsrepr"]
        self.priority = message.properties["priority"]
        self.argument = message.decode()[0][0]
        self.batch = decode_batch(self.argument.partition(".")[0])

    @property
    def keys(self) -> list[bytes | None]:
        """Which events are in it."""
        return [record.key for record in self.batch.records]
