"""Redis and RabbitMQ as the dispatcher reaches them: the same suite runs on each."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import msgspec
import pytest
from kombu import Connection, Message
from redis import Redis

from dispatcher.broker import CeleryBroker, task_id_of
from events.decision import Position
from events.errors import Unavailable
from events.lane import Batch, Fed, decode_batch
from events.priority import Priority
from tests.integration.dispatcher.ground import wait_until
from tests.integration.dispatcher.own_redis import OwnRedis
from transport.priorities import is_redis, redis_list
from transport.queues import celery_queue, transport_options

TASK = "tasks.fraud.score"


def batch(queue: str, size: int, offset: int = 0) -> Batch:
    """Some records of the queue's high lane."""
    return Batch(
        1_700_000_000_000,
        tuple(
            Fed(Position(f"{queue}.high", 0, offset + number), 1, msgspec.Raw(b'{"event":{}}'), b"k")
            for number in range(size)
        ),
    )


def send(broker: CeleryBroker, queue: str, priority: Priority, offset: int = 0) -> None:
    """One message with one record."""
    one = batch(queue, 1, offset)
    broker.send(queue, priority, TASK, one, task_id_of(one))


@pytest.fixture
def queue(broker_url: str, unique: Callable[[str], str]) -> Iterator[str]:
    """A queue of this test alone, gone afterwards."""
    name = unique("ml.fraud.input")
    yield name
    delete(broker_url, name)


def delete(url: str, queue: str) -> None:
    """Take a queue away with all that waits on it."""
    if is_redis(url):
        with Redis.from_url(url) as client:
            client.delete(*(redis_list(queue, priority) for priority in Priority))
    else:
        with Connection(url) as connection:
            channel: Any = connection.channel()
            channel.queue_delete(queue)


@contextmanager
def received(url: str, queue: str, count: int) -> Iterator[list[Message]]:
    """The first messages that a worker gets. What it was handed beyond them goes back to the queue."""
    messages: list[Message] = []

    def take(_body: object, message: Message) -> None:
        if len(messages) < count:
            messages.append(message)
            message.ack()

    with Connection(url, transport_options=transport_options(url)) as connection:
        channel: Any = connection.channel()
        channel.basic_qos(0, 1, False)
        with connection.Consumer([celery_queue(queue)], channel=channel, callbacks=[take]):
            while len(messages) < count:
                connection.drain_events(timeout=10)
    yield messages


def test_a_batch_arrives_as_a_celery_task_with_one_argument(broker_url: str, queue: str) -> None:
    sent = batch(queue, 3, offset=1_200)
    with closing(CeleryBroker(broker_url)) as broker:
        broker.send(queue, Priority.HIGH, TASK, sent, task_id_of(sent))
    with received(broker_url, queue, 1) as (message,):
        args, kwargs, _ = message.payload
        assert (decode_batch(*args), kwargs) == (sent, {})
        assert message.headers["task"] == TASK
        assert message.headers["id"] == f"{queue}.high[0]@1200+3"
        assert message.headers["argsrepr"] == f"3 records of {queue}.high, from {queue}.high[0]@1200"


def test_the_urgent_message_is_handed_out_first(broker_url: str, queue: str) -> None:
    with closing(CeleryBroker(broker_url)) as broker:
        for offset, priority in enumerate(reversed(Priority)):
            send(broker, queue, priority, offset)
        depth = broker.depth(queue)
    assert depth.waiting == dict.fromkeys(Priority, 1)
    with received(broker_url, queue, 4) as messages:
        order = [decode_batch(message.payload[0][0]).records[0].lane.offset for message in messages]
    assert order == [3, 2, 1, 0]


def test_what_was_taken_no_longer_waits(broker_url: str, queue: str) -> None:
    with closing(CeleryBroker(broker_url)) as broker:
        for offset, priority in enumerate([Priority.HIGH, Priority.HIGH, Priority.LOW]):
            send(broker, queue, priority, offset)
        with received(broker_url, queue, 2):
            pass
        wait_until(lambda: sum(broker.depth(queue).waiting.values()) == 1, 10, "one waits")
        assert broker.depth(queue).waiting[Priority.HIGH] == 0


def test_a_queue_that_nobody_has_declared_yet_is_empty(broker_url: str, queue: str) -> None:
    with closing(CeleryBroker(broker_url)) as broker:
        assert not any(broker.depth(queue).waiting.values())


def test_a_queue_that_was_deleted_swallows_nothing(broker_url: str, queue: str) -> None:
    with closing(CeleryBroker(broker_url)) as broker:
        send(broker, queue, Priority.HIGH, 1)
        delete(broker_url, queue)

        def accepted() -> bool:
            try:
                send(broker, queue, Priority.HIGH, 2)
            except Unavailable:
                return False
            return True

        wait_until(accepted, 10, "the queue is declared anew")
    with received(broker_url, queue, 1) as (message,):
        assert decode_batch(message.payload[0][0]).records[0].lane.offset == 2


def test_a_broker_that_is_not_there_is_unavailable(unique: Callable[[str], str]) -> None:
    for url in ("redis://127.0.0.1:1/0", "amqp://guest:guest@127.0.0.1:1//"):
        with (
            closing(CeleryBroker(url, timeout=1)) as broker,
            pytest.raises(Unavailable, match="celery broker"),
        ):
            broker.depth(unique("ml.fraud.input"))


def test_a_broker_that_hangs_is_waited_for_a_bounded_time_and_found_again(own_redis: OwnRedis) -> None:
    with closing(CeleryBroker(own_redis.url, timeout=0.5)) as broker:
        send(broker, "q", Priority.HIGH, 1)
        own_redis.freeze()
        started = time.monotonic()
        for _ in range(2):
            with pytest.raises(Unavailable):
                broker.depth("q")
            with pytest.raises(Unavailable):
                send(broker, "q", Priority.HIGH, 2)
        assert time.monotonic() - started < 10
        own_redis.thaw()
        send(broker, "q", Priority.HIGH, 3)
        # what was said while it hung, it may have heard
        assert broker.depth("q").waiting[Priority.HIGH] >= 2
