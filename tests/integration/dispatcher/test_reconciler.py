"""The reconciler on real lanes and outcomes: what has none is sent again; its place tells how far all is."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Consumer, TopicPartition

from dispatcher.broker import CeleryBroker
from dispatcher.lane_reader import RECONCILER_GROUP, feeder_group
from dispatcher.reconciler import Reconciler
from events.decision import Position
from events.priority import Priority
from routing import LaneSpec
from tests.integration.dispatcher.ground import PARTITIONS, Ground, lane_records, wait_until
from tests.integration.dispatcher.outcomes import given_up, prediction, publish
from tests.integration.dispatcher.own_redis import OwnRedis
from tests.integration.dispatcher.worker import working
from transport.kafka import consumer_config, position_of

HORIZON_MS = 1_500


def commit_as_fed(ground: Ground) -> list[Position]:
    """The feeder has sent all that stands in the lane; answers with where."""
    positions = [position_of(message) for message in ground.read(ground.lane)]
    ends = [sum(1 for position in positions if position.partition == n) for n in range(PARTITIONS)]
    consumer = Consumer(consumer_config(ground.kafka, feeder_group(ground.lane)))
    offsets = [TopicPartition(ground.lane, number, end) for number, end in enumerate(ends)]
    consumer.commit(offsets=offsets, asynchronous=False)
    consumer.close()
    return positions


@contextmanager
def reconciling(ground: Ground, url: str) -> Iterator[None]:
    """A reconciler on a thread, stopped in the end."""
    stop = threading.Event()
    lanes = [LaneSpec(ground.lane, ground.queue, Priority.HIGH, "tasks.fraud.score", 256)]
    broker = CeleryBroker(url, timeout=1)
    reconciler = Reconciler(ground.kafka, broker, lambda: lanes, lambda _: HORIZON_MS, stop)
    thread = threading.Thread(target=reconciler.run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


def complete(ground: Ground) -> int:
    """How many of the lane's records are known to have an outcome, with all before them."""
    return ground.committed(RECONCILER_GROUP, ground.lane)


def test_what_has_no_outcome_is_sent_again_until_all_is_complete(ground: Ground, broker_url: str) -> None:
    ground.produce(ground.lane, lane_records(ground, range(200)))
    fed = commit_as_fed(ground)
    lost = set(fed[::40])
    publish(ground, (prediction(at) for at in fed[:150] if at not in lost))
    publish(ground, (given_up(at) for at in fed[150:] if at not in lost))
    with working(broker_url, ground.queue) as worker, reconciling(ground, broker_url):
        answered: set[Position] = set()

        def answer() -> bool:
            new = set(worker.positions) - answered
            publish(ground, map(prediction, new))
            answered.update(new)
            return complete(ground) == 200

        wait_until(answer, 60, "all are complete")
        assert answered == lost
        assert all(len(batch) == 1 for batch in worker.batches)


def test_nothing_is_sent_again_before_it_is_overdue(ground: Ground, own_redis: OwnRedis) -> None:
    ground.produce(ground.lane, lane_records(ground, range(20)))
    with working(own_redis.url, ground.queue) as worker, reconciling(ground, own_redis.url):
        fed = commit_as_fed(ground)
        publish(ground, map(prediction, fed))
        wait_until(lambda: complete(ground) == 20, 60, "all are complete")
        threading.Event().wait(2 * HORIZON_MS / 1_000)
        assert not worker.positions


def test_what_was_never_fed_is_not_missed(ground: Ground, own_redis: OwnRedis) -> None:
    ground.produce(ground.lane, lane_records(ground, range(20)))
    with working(own_redis.url, ground.queue) as worker, reconciling(ground, own_redis.url):
        threading.Event().wait(2 * HORIZON_MS / 1_000)
        assert not worker.positions


def test_a_reconciler_goes_on_where_another_ended(ground: Ground, own_redis: OwnRedis) -> None:
    ground.produce(ground.lane, lane_records(ground, range(50)), partition=1)
    fed = commit_as_fed(ground)
    publish(ground, map(prediction, fed[:30]))
    with reconciling(ground, own_redis.url):
        wait_until(lambda: complete(ground) == 30, 60, "the first is complete as far as it can be")
    publish(ground, map(prediction, fed[31:]))
    with working(own_redis.url, ground.queue) as worker, reconciling(ground, own_redis.url):
        wait_until(lambda: worker.positions, 60, "the lost one is sent again")
        publish(ground, [prediction(fed[30])])
        wait_until(lambda: complete(ground) == 50, 60, "all are complete")
        assert set(worker.positions) == {fed[30]}


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        pytest.param(OwnRedis.freeze, OwnRedis.thaw, id="it hangs"),
        pytest.param(OwnRedis.kill, OwnRedis.start, id="it is killed and started again"),
    ],
)
def test_a_broker_that_is_away_is_waited_for(
    ground: Ground,
    own_redis: OwnRedis,
    begin: Callable[[OwnRedis], None],
    end: Callable[[OwnRedis], None],
) -> None:
    ground.produce(ground.lane, lane_records(ground, range(3)), partition=0)
    fed = commit_as_fed(ground)
    publish(ground, map(prediction, fed[1:]))
    begin(own_redis)
    with reconciling(ground, own_redis.url):
        threading.Event().wait(2 * HORIZON_MS / 1_000)
        end(own_redis)
        with working(own_redis.url, ground.queue) as worker:
            wait_until(lambda: fed[0] in worker.positions, 60, "it is sent again")
