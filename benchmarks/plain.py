"""The plain way: one `apply_async` per event, one task per event, produce and flush in the task.

python -m benchmarks.plain                          # the dispatcher
celery -A benchmarks.plain worker -Q plain -c 2     # the workers
"""

import time
from typing import Any

from celery import Celery
from celery.signals import worker_process_init
from confluent_kafka import Producer

from benchmarks.deciding import Deciding, Source
from events.decision import Position
from events.topics import EVENTS
from settings import load_settings
from transport.kafka import connect_consumer, producer_config

COMMIT_SECONDS = 1.0

app = Celery("plain", broker=load_settings().celery_broker_url)
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    task_default_queue="plain",
    worker_prefetch_multiplier=1,
    worker_send_task_events=True,
    broker_connection_retry_on_startup=True,
)

_made: dict[str, Any] = {}


@worker_process_init.connect
def load(**_: object) -> None:
    """Model, store and producer, in the child."""
    _made["deciding"] = Deciding.from_settings()
    _made["producer"] = Producer(producer_config(load_settings().kafka_cluster, **{"linger.ms": 0}))


@app.task(name="plain.score", autoretry_for=(ConnectionError,), retry_backoff=True, max_retries=3)
def score(value: str, topic: str, partition: int, offset: int, timestamp: int) -> None:
    """One event: validate, fetch features, predict, produce, flush."""
    source = Source(value.encode(), Position(topic, partition, offset), timestamp)
    for record in _made["deciding"].predictions([source]):
        _made["producer"].produce(record.topic, value=record.value, key=record.key)
    _made["producer"].flush()


def main() -> None:
    """Dispatch until killed."""
    bootstrap = load_settings().kafka_cluster
    consumer = connect_consumer(bootstrap, "benchmark-plain", **{"enable.auto.offset.store": True})
    consumer.subscribe([EVENTS])
    committed = time.monotonic()
    while True:
        message = consumer.poll(0.1)
        if message is not None and message.error() is None:
            source = Source.of(message)
            position = source.position
            score.apply_async(
                (source.value.decode(), position.topic, position.partition, position.offset, source.timestamp)
            )
        if time.monotonic() - committed > COMMIT_SECONDS and message is not None:
            consumer.commit(asynchronous=True)
            committed = time.monotonic()


if __name__ == "__main__":
    main()
