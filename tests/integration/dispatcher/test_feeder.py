"""A feeder between real lanes and a real broker: its pace, its place, and a broker's outage."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from dispatcher.broker import CeleryBroker
from dispatcher.feeder import Feeder
from dispatcher.lane_reader import feeder_group
from events.priority import Priority
from routing import LaneSpec
from tests.integration.dispatcher.ground import Ground, lane_records, wait_until
from tests.integration.dispatcher.own_redis import OwnRedis
from tests.integration.dispatcher.worker import Worker, working
from transport.clock import system_clock
from transport.retrying import connect_tally

WINDOW = 2


def lane(ground: Ground, priority: Priority, max_batch: int) -> LaneSpec:
    """One lane of the test's queue."""
    return LaneSpec(
        f"{ground.queue}.{priority.value}", ground.queue, priority, "tasks.fraud.score", max_batch
    )


@contextmanager
def feeding(
    ground: Ground, broker: CeleryBroker, lanes: Callable[[], Sequence[LaneSpec]] | None = None
) -> Iterator[None]:
    """A feeder on a thread, stopped in the end."""
    stop = threading.Event()
    only = [lane(ground, Priority.HIGH, 256)]
    feeder = Feeder(ground.queue, ground.kafka, broker, lanes or (lambda: only), WINDOW, stop)
    thread = threading.Thread(target=feeder.run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


def fed(ground: Ground, topic: str | None = None) -> int:
    """How many records the feeder has committed as sent."""
    lane = topic or ground.lane
    return ground.committed(feeder_group(lane), lane)


def waiting(url: str, queue: str) -> int:
    """Messages on the queue."""
    broker = CeleryBroker(url)
    try:
        return sum(broker.depth(queue).waiting.values())
    finally:
        broker.close()


def test_every_record_reaches_a_worker_once_and_each_partition_in_its_order(
    ground: Ground, broker_url: str
) -> None:
    ground.produce(ground.lane, lane_records(ground, range(5_000)))
    with working(broker_url, ground.queue) as worker:
        with feeding(ground, CeleryBroker(broker_url)):
            wait_until(lambda: len(worker.positions) >= 5_000, 60, "all were received")
            wait_until(lambda: fed(ground) == 5_000, 60, "all are committed")
        positions = worker.positions
    assert len(positions) == len(set(positions)) == 5_000
    for partition in range(4):
        offsets = [position.offset for position in positions if position.partition == partition]
        assert offsets == sorted(offsets)


def test_without_workers_no_more_than_the_window_leaves_kafka(ground: Ground, broker_url: str) -> None:
    ground.produce(ground.lane, lane_records(ground, range(3_000)))
    with feeding(ground, CeleryBroker(broker_url)):
        wait_until(lambda: waiting(broker_url, ground.queue) == WINDOW, 60, "the window is full")
        threading.Event().wait(1)
        assert waiting(broker_url, ground.queue) == WINDOW
        assert fed(ground) <= WINDOW * 256
    with working(broker_url, ground.queue) as worker:
        wait_until(lambda: len(worker.batches) == WINDOW, 20, "what was sent is there")
        assert len(worker.positions) == fed(ground)


def test_an_urgent_record_passes_a_backlog_of_its_own_queue(ground: Ground, broker_url: str) -> None:
    low = lane(ground, Priority.LOW, 64)
    ground.write_table(order_placed="low")
    ground.make_topics()
    ground.produce(low.topic, lane_records(ground, range(2_000), Priority.LOW))
    lanes = [lane(ground, Priority.HIGH, 256), low]
    with feeding(ground, CeleryBroker(broker_url), lambda: lanes):
        wait_until(lambda: waiting(broker_url, ground.queue) == WINDOW, 60, "the low lane fills its window")
        ground.produce(ground.lane, lane_records(ground, [9_999]))
        wait_until(lambda: waiting(broker_url, ground.queue) == WINDOW + 1, 60, "the urgent one was sent")
        with working(broker_url, ground.queue) as worker:
            wait_until(lambda: worker.batches, 20, "the first is received")
            assert worker.batches[0].records[0].lane.topic == ground.lane


def test_a_lane_that_a_new_table_brings_is_fed_without_a_restart(ground: Ground, broker_url: str) -> None:
    lanes = [lane(ground, Priority.HIGH, 256)]
    with (
        working(broker_url, ground.queue) as worker,
        feeding(ground, CeleryBroker(broker_url), lambda: tuple(lanes)),
    ):
        ground.produce(ground.lane, lane_records(ground, [1]))
        wait_until(lambda: len(worker.positions) == 1, 60, "the first lane is fed")
        ground.write_table(order_placed="batch")
        ground.make_topics()
        lanes.append(lane(ground, Priority.BATCH, 64))
        ground.produce(lanes[1].topic, lane_records(ground, [2]))
        wait_until(lambda: len(worker.positions) == 2, 60, "the new lane is fed")


def test_what_is_no_lane_record_reaches_the_worker_alone_and_spoils_no_batch(
    ground: Ground, broker_url: str
) -> None:
    good = lane_records(ground, range(3))
    ground.produce(ground.lane, [good[0], b'{"event": \xff', None, good[1], b"", good[2]], partition=0)
    with working(broker_url, ground.queue) as worker, feeding(ground, CeleryBroker(broker_url)):
        wait_until(lambda: len(worker.positions) == 6, 60, "all were received")
    records = [bytes(record.record) for batch in worker.batches for record in batch.records]
    assert [record for record in records if record.startswith(b'{"event":{')] == good


def test_tasks_held_back_for_a_retry_close_the_queue(ground: Ground, own_redis: OwnRedis) -> None:
    tally = connect_tally(own_redis.url)
    for number in range(16):
        tally.add(ground.queue, f"task-{number}", system_clock() + 600_000)
    ground.produce(ground.lane, lane_records(ground, range(10)))
    broker = CeleryBroker(own_redis.url, connect_tally(own_redis.url))
    with working(own_redis.url, ground.queue) as worker, feeding(ground, broker):
        threading.Event().wait(3)
        assert not worker.positions
        tally.remove(ground.queue, "task-0")
        wait_until(lambda: len(worker.positions) == 10, 30, "one retry less opens it")


@dataclass(frozen=True)
class Outage:
    """How a broker goes away and comes back."""

    begin: Callable[[OwnRedis], None]
    end: Callable[[OwnRedis], None]


@pytest.mark.parametrize(
    "outage",
    [
        pytest.param(Outage(OwnRedis.freeze, OwnRedis.thaw), id="it hangs"),
        pytest.param(Outage(OwnRedis.kill, OwnRedis.start), id="it is killed and started again"),
    ],
)
def test_an_outage_of_the_broker_is_waited_out_and_loses_nothing(
    ground: Ground, own_redis: OwnRedis, outage: Outage
) -> None:
    worker = Worker(own_redis.url, ground.queue)
    with feeding(ground, CeleryBroker(own_redis.url, timeout=1)):
        ground.produce(ground.lane, lane_records(ground, range(100)))
        wait_until(lambda: waiting(own_redis.url, ground.queue) > 0, 60, "it is fed")
        outage.begin(own_redis)
        before = fed(ground)
        ground.produce(ground.lane, lane_records(ground, range(100, 1_000)))
        threading.Event().wait(4)
        assert fed(ground) <= before + 256
        outage.end(own_redis)
        worker.start()
        wait_until(lambda: fed(ground) == 1_000, 60, "all are fed")
        wait_until(lambda: len(set(worker.positions)) == 1_000, 60, "all were received")
    worker.stop()


def test_a_broker_that_hangs_holds_up_its_own_queue_alone(
    ground: Ground, own_redis: OwnRedis, broker_url: str
) -> None:
    other = lane(ground, Priority.LOW, 64)
    ground.write_table(order_placed="low")
    ground.make_topics()
    own_redis.freeze()
    ground.produce(ground.lane, lane_records(ground, range(10)))
    ground.produce(other.topic, lane_records(ground, range(10)))
    with (
        feeding(ground, CeleryBroker(own_redis.url, timeout=1)),
        feeding(ground, CeleryBroker(broker_url), lambda: [other]),
        working(broker_url, ground.queue) as worker,
    ):
        wait_until(lambda: len(worker.positions) == 10, 60, "the other lane goes on")
        assert fed(ground) == 0
