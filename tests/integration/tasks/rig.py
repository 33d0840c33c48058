"""A worker as its own process, messages for it, and what it leaves in Kafka."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import psutil
from celery import Celery
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from events.deadletter import DeadLetterHeaders
from events.decision import Decision, Position, dead_letter_topic, lane_topic
from events.identity import prediction_id
from events.lane import Batch, Fed, Waiting, encode_batch, encode_waiting
from events.prediction import Prediction, decode_prediction
from events.priority import Priority
from events.topics import PREDICTIONS
from routing.catalogue import QueueSpec
from transport.clock import system_clock
from transport.kafka import consumer_config, headers_of
from transport.priorities import number
from transport.queues import DEFAULT_EXCHANGE, celery_queue, transport_options
from transport.topics import TopicSpec, create_topics

ROOT = Path(__file__).resolve().parents[3]
TASK = "tests.scripted.decide"


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Return once `condition` holds. Fails the test, naming `what`, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)


def queue_spec(name: str, **changes: Any) -> QueueSpec:
    """A pool of one process with short limits."""
    spec = QueueSpec(
        name=name,
        workflow="scripted",
        task=TASK,
        pool="prefork",
        concurrency=1,
        prefetch=1,
        nice=0,
        soft_time_limit_s=4,
        time_limit_s=6,
        visibility_timeout_s=9,
        window=1,
        max_batch=1_024,
        served=True,
    )
    return QueueSpec(**{**asdict(spec), **changes})


def fed(event_id: str, queue: str, payload: Mapping[str, Any], offset: int, **decision: Any) -> Fed:
    """A lane's record on its way to a worker."""
    now = system_clock()
    event = {
        "event_id": event_id,
        "event_type": "order.placed",
        "source": "tests",
        "version": "1.0.0",
        "occurred_at": now,
        "tenant_id": "acme",
        "payload": dict(payload),
    }
    said: dict[str, Any] = {
        "prediction_id": prediction_id("acme", "tests", event_id, "scripted", "champion"),
        "workflow": "scripted",
        "queue": queue,
        "priority": Priority.HIGH,
        "rule": "order.placed[0]",
        "table_hash": "abcdefabcdef",
        "sla_ms": 100,
        "deadline": now + 100,
        "source": Position("retail.events", 0, offset),
        "backoff_ms": 200,
        **decision,
    }
    value = encode_waiting(Waiting(msgspec.Raw(msgspec.json.encode(event)), Decision(**said)))
    return Fed(Position(lane_topic(queue, said["priority"]), 0, offset), now, msgspec.Raw(value), b"key")


class Worker:
    """A `celery worker` of one or several queues."""

    def __init__(self, arguments: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        self.log = log
        command = [sys.executable, "-m", "celery", "-A", "tests.integration.tasks.app", "worker"]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*command, "--loglevel", "INFO", *arguments],
                cwd=ROOT,
                env={**os.environ, **env},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ready(self) -> "Worker":
        """Returns once it takes work."""
        wait_until(lambda: " ready." in self.text or not self.running, 60, f"worker ready: {self.log}")
        assert self.running, self.text
        return self

    @property
    def text(self) -> str:
        """Its log."""
        return self.log.read_text(errors="replace")

    @property
    def running(self) -> bool:
        """Whether its main process lives."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Of its main process."""
        return self._process.pid

    @property
    def children(self) -> list[psutil.Process]:
        """The processes of its pool."""
        return psutil.Process(self._process.pid).children()

    def kill(self) -> None:
        """SIGKILL to all of it."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def terminate(self, seconds: float) -> float:
        """SIGTERM, and how many seconds it took to end."""
        began = time.monotonic()
        self._process.terminate()
        self._process.wait(seconds)
        return time.monotonic() - began


@dataclass
class Rig:
    """One queue, its broker, and the Kafka and the Redis that its workers use."""

    broker_url: str
    redis_url: str
    kafka: str
    spec: QueueSpec
    folder: Path
    workers: list[Worker] = field(default_factory=list)
    predictions: dict[str, list[Prediction]] = field(default_factory=dict)
    letters: list[tuple[bytes, DeadLetterHeaders]] = field(default_factory=list)
    also: tuple[QueueSpec, ...] = ()
    workers_kafka: str | None = None

    def __post_init__(self) -> None:
        self.diary = self.folder / "diary"
        self.diary.touch()
        self.dlq = dead_letter_topic(self.spec.name)
        topics = [TopicSpec(PREDICTIONS, 4), TopicSpec(self.dlq, 1)]
        create_topics(AdminClient({"bootstrap.servers": self.kafka}), topics)
        self.app = Celery("sender", broker=self.broker_url, set_as_current=False)
        self.app.conf.update(
            task_default_exchange=DEFAULT_EXCHANGE,
            broker_transport_options=transport_options(self.broker_url),
            task_queues=[celery_queue(self.spec.name)],
        )
        self._consumer = Consumer(consumer_config(self.kafka, f"tests.{self.spec.name}"))
        # an embedded Kafka makes a topic by itself where a worker was first, with partitions as it likes
        topics_there = self._consumer.list_topics().topics
        self._consumer.assign(
            [
                TopicPartition(topic, partition, OFFSET_BEGINNING)
                for topic in (PREDICTIONS, self.dlq)
                for partition in topics_there[topic].partitions
            ]
        )
        self._sent = 0

    @property
    def env(self) -> dict[str, str]:
        """What a worker of this rig needs to know."""
        return {
            "CELERY_BROKER_URL": self.broker_url,
            "REDIS_URL": self.redis_url,
            "DATABASE_URL": f"sqlite:///{self.folder}/signalbox.db",
            "KAFKA_BOOTSTRAP_SERVERS": self.workers_kafka or self.kafka,
            "TEST_QUEUES": json.dumps([asdict(spec) for spec in (self.spec, *self.also)]),
            "TEST_DIARY": str(self.diary),
        }

    def start(self, *arguments: str) -> Worker:
        """A worker of the queue, ready."""
        chosen = arguments or ("-Q", self.spec.name, "--concurrency", str(self.spec.concurrency))
        name = f"w{len(self.workers)}.{self.spec.name}"
        log = self.folder / f"{name}.log"
        worker = Worker([*chosen, "--hostname", f"{name}@test"], self.env, log)
        self.workers.append(worker)
        return worker.ready()

    def send(
        self, payloads: Mapping[str, Mapping[str, Any]], priority: Priority = Priority.HIGH, **decision: Any
    ) -> None:
        """One message with these events, by id."""
        records = []
        for event_id, payload in payloads.items():
            records.append(fed(event_id, self.spec.name, payload, self._sent, priority=priority, **decision))
            self._sent += 1
        batch = Batch(system_clock(), tuple(records))
        self.app.send_task(
            TASK,
            (encode_batch(batch),),
            task_id=f"{records[0].lane}+{len(records)}",
            queue=self.spec.name,
            priority=number(priority, self.broker_url),
            argsrepr="-",
            kwargsrepr="-",
        )

    def read(self) -> None:
        """Take in what Kafka holds by now."""
        while (message := self._consumer.poll(0.2)) is not None:
            if message.error() is not None:
                continue
            value = message.value() or b""
            if message.topic() == self.dlq:
                self.letters.append((value, DeadLetterHeaders.parse(headers_of(message))))
                continue
            prediction = decode_prediction(value)
            if prediction.queue == self.spec.name:
                self.predictions.setdefault(prediction.source_event_id, []).append(prediction)

    @property
    def causes(self) -> Counter[str]:
        """How many dead letters of each cause there are."""
        return Counter(headers.cause for _, headers in self.letters)

    def wait_for(self, predictions: int, letters: int, seconds: float) -> None:
        """Returns once this many events have a prediction, and this many letters stand in the DLQ."""

        def there() -> bool:
            self.read()
            return len(self.predictions) >= predictions and len(self.letters) >= letters

        try:
            wait_until(there, seconds, f"{predictions} predictions and {letters} dead letters")
        except AssertionError as error:
            logs = "\n".join(worker.text[-6_000:] for worker in self.workers)
            got = f"{len(self.predictions)} and {len(self.letters)}"
            raise AssertionError(f"{error}, but {got}\n{logs}") from None
        assert (len(self.predictions), len(self.letters)) == (predictions, letters)

    def entries(self) -> list[dict[str, Any]]:
        """What the workflow began with: one entry a batch."""
        return [json.loads(line) for line in self.diary.read_text().splitlines()]

    def close(self) -> None:
        """Kill what still runs."""
        for worker in self.workers:
            worker.kill()
        self._consumer.close()
        self.app.close()
