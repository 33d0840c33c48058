"""A Redis broker that dies while a worker holds its messages: the worker waits for it, and goes on."""

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Consumer, Exchange, Queue
from redis.exceptions import ConnectionError as RedisConnectionError

from tasks import redis_transport
from tests.integration.dispatcher.own_redis import OwnRedis
from tests.integration.tasks.rig import Rig, queue_spec, wait_until
from transport.queues import celery_queue, transport_options

KILLS = 3


def begun(rig: Rig, batches: int) -> bool:
    """Whether the work on so many batches has begun."""
    return len(rig.entries()) >= batches


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[OwnRedis]:
    """A broker that may die."""
    made = OwnRedis(tmp_path / "broker")
    made.start()
    yield made
    made.kill()


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_the_same_process_goes_on_after_each_death_of_its_broker_and_loses_nothing(
    broker: OwnRedis, redis_url: str, kafka: str, unique: Callable[[str], str], tmp_path: Path, pool: str
) -> None:
    # one message is held and there is room for another, so that the worker also waits for Redis to give one
    spec = queue_spec(unique("ml.test.input"), pool=pool, concurrency=2)
    rig = Rig(broker.url, redis_url, kafka, spec, tmp_path)
    try:
        worker = rig.start("-Q", spec.name, "--pool", pool, "--concurrency", "2")
        pid = worker.pid
        for number in range(1, KILLS + 1):
            rig.send({f"e{number}": {"do": "sleep", "seconds": 1}})
            wait_until(partial(begun, rig, number), 20, "the worker holds a message")
            broker.kill()
            broker.start()
        rig.wait_for(predictions=KILLS, letters=0, seconds=60)
        assert (worker.running, worker.pid) == (True, pid)
        assert "Unrecoverable" not in worker.text
    finally:
        rig.close()


def test_a_message_that_was_held_when_the_broker_died_is_acknowledged_over_a_new_connection(
    broker: OwnRedis,
) -> None:
    held: list[Any] = []
    queue, options = celery_queue("ml.test.input"), transport_options(broker.url)
    connection = Connection(broker.url, transport=redis_transport.Transport, transport_options=options)
    connection.Producer().publish({}, exchange="", routing_key=queue.name, declare=[queue])
    Consumer(connection.default_channel, [queue], callbacks=[lambda _, taken: held.append(taken)]).consume()
    # as Celery's gossip has: closing its channel fails too, and hides the one that holds messages
    fan_out = Queue("gossip", exchange=Exchange("ev", type="fanout"), auto_delete=True)
    Consumer(connection.channel(), [fan_out], callbacks=[lambda *_: None]).consume()
    while not held:
        connection.drain_events(timeout=5)
    with contextlib.suppress(TimeoutError):  # an answer to the subscription may come first
        connection.drain_events(timeout=0.5)
    with pytest.raises(TimeoutError):
        connection.drain_events(timeout=0.5)  # leaves a BRPOP under way
    broker.kill()

    # what Celery does at a lost connection
    connection.collect(socket_timeout=1)
    connection.close()

    with pytest.raises(RedisConnectionError):
        held[0].ack()
    broker.start()
    held[0].ack()
