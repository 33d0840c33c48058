"""The reconciler on real lanes and outcomes: what has none is sent again; its place tells how far all is."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from dispatcher.broker import CeleryBroker
from dispatcher.lane_reader import RECONCILER_GROUP, feeder_group
from dispatcher.reconciler import Reconciler
from events.decision import Position, dead_letter_topic
from events.priority import Priority
from routing import LaneSpec
from tests.integration.dispatcher.ground import PARTITIONS, Ground, lane_records, wait_until
from tests.integration.dispatcher.outcomes import given_up, prediction, publish
from tests.integration.dispatcher.own_redis import OwnRedis
from tests.integration.dispatcher.worker import working
from tests.integration.transport.markers import write_in_a_transaction
from transport import metrics
from transport.kafka import Outgoing, consumer_config, position_of, producer_config

HORIZON_MS = 1_500
T = TypeVar("T")


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


def test_partitions_that_lanes_and_outcomes_get_while_it_runs_are_read(
    ground: Ground, own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatcher.reconciler.GROW_EVERY_S", 0.3)
    letters = dead_letter_topic(ground.queue)
    ground.produce(ground.lane, lane_records(ground, range(20)))
    with working(own_redis.url, ground.queue) as worker, reconciling(ground, own_redis.url):
        publish(ground, map(prediction, commit_as_fed(ground)))
        wait_until(lambda: complete(ground) == 20, 60, "it is complete before")
        grow(ground, ground.lane, letters)
        ground.produce(ground.lane, lane_records(ground, range(3)), partition=6)
        place = TopicPartition(ground.lane, 6, 3)
        as_group(ground, feeder_group(ground.lane), lambda group: group.commit(offsets=[place]))
        for offset in range(3):
            letter = given_up(Position(ground.lane, 6, offset))
            write_letter(ground, letter, partition=7)
        wait_until(lambda: committed_at(ground, RECONCILER_GROUP, place) == 3, 60, "it is after")
        threading.Event().wait(2 * HORIZON_MS / 1_000)
        assert not worker.positions, "nothing answered is fed again"


def test_what_is_answered_is_not_fed_again_after_its_positions_expired(
    ground: Ground, own_redis: OwnRedis
) -> None:
    ground.produce(ground.lane, lane_records(ground, range(20)), partition=1)
    fed = commit_as_fed(ground)
    publish(ground, map(prediction, fed[:10] + fed[11:]))
    with reconciling(ground, own_redis.url):
        wait_until(lambda: complete(ground) == 10, 60, "it has positions")
    admin = AdminClient({"bootstrap.servers": ground.kafka})
    try:
        admin.delete_consumer_groups([RECONCILER_GROUP])[RECONCILER_GROUP].result(30)
    except KafkaException as error:
        pytest.skip(f"this broker deletes no groups: {error}")
    assert complete(ground) == 0
    with working(own_redis.url, ground.queue) as worker, reconciling(ground, own_redis.url):
        wait_until(lambda: worker.positions, 60, "the open one is fed again")
        publish(ground, [prediction(fed[10])])
        wait_until(lambda: complete(ground) == 20, 60, "all are complete")
        assert set(worker.positions) == {fed[10]}


def test_records_that_expired_unfed_are_lost_and_not_complete(
    ground: Ground, own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatcher.reconciler.EXPIRED_EVERY_S", 0.3)
    admin = AdminClient({"bootstrap.servers": ground.kafka})
    ground.produce(ground.lane, lane_records(ground, range(10)), partition=0)
    publish(ground, map(prediction, commit_as_fed(ground)))
    with working(own_redis.url, ground.queue) as worker, reconciling(ground, own_redis.url):
        wait_until(lambda: complete(ground) == 10, 60, "it is complete before")
        ground.produce(ground.lane, lane_records(ground, range(10, 15)), partition=0)
        (deleted,) = admin.delete_records([TopicPartition(ground.lane, 0, 15)]).values()
        try:
            deleted.result(30)
        except KafkaException as error:
            pytest.skip(f"this broker deletes no records: {error}")
        wait_until(lambda: metrics.LOST_RECORDS.labels(ground.lane)._value.get() == 5, 60, "five are lost")
        ratio = metrics.COMPLETENESS.labels(ground.lane)._value.get()
        assert ratio == pytest.approx(1 - 5 / 15)
        assert not worker.positions


def test_a_marker_at_the_end_of_a_lane_is_not_owed(ground: Ground, own_redis: OwnRedis) -> None:
    values = [value or b"" for value in lane_records(ground, range(2))]
    write_in_a_transaction(ground.kafka, ground.lane, {0: values})
    place = TopicPartition(ground.lane, 0, 3)
    as_group(ground, feeder_group(ground.lane), lambda group: group.commit(offsets=[place]))
    publish(ground, [prediction(Position(ground.lane, 0, offset)) for offset in range(2)])
    with working(own_redis.url, ground.queue) as worker, reconciling(ground, own_redis.url):
        wait_until(lambda: complete(ground) == 3, 60, "the marker is passed")
        assert not worker.positions


def grow(ground: Ground, *topics: str) -> None:
    """From 4 to 8 partitions. Skips if the broker cannot."""
    admin = AdminClient({"bootstrap.servers": ground.kafka})
    try:
        for future in admin.create_partitions([NewPartitions(topic, 8) for topic in topics]).values():
            future.result(30)
    except KafkaException as error:
        pytest.skip(f"this broker adds no partitions: {error}")


def as_group(ground: Ground, group: str, act: Callable[[Consumer], T]) -> T:
    """Do something in the name of a group."""
    consumer = Consumer(consumer_config(ground.kafka, group))
    try:
        return act(consumer)
    finally:
        consumer.close()


def committed_at(ground: Ground, group: str, place: TopicPartition) -> int:
    """What a group has committed of one partition."""
    offset: int = as_group(ground, group, lambda consumer: consumer.committed([place], 10)[0].offset)
    return offset


def write_letter(ground: Ground, letter: Outgoing, partition: int) -> None:
    """Write an outcome to one partition."""
    producer = Producer(producer_config(ground.kafka))
    producer.produce(letter.topic, letter.value, letter.key, partition, headers=list(letter.headers))
    assert producer.flush(30) == 0
