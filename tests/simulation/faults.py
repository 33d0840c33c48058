"""Faults of the simulation: some are strokes of the scheduler, others chances that the world takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from events.decision import overflow_topic
from events.topics import EVENTS
from tests.simulation.broker import VISIBILITY
from tests.simulation.member import SESSION
from tests.simulation.producer import refusal_of

if TYPE_CHECKING:
    from tests.simulation.schedule import Schedule
    from tests.simulation.world import Fault

MOST_PARTITIONS = 5

CHANCES: dict[Fault, float] = {
    "broker refuses": 0.1,
    "broker accepts, then fails": 0.1,
    "message doubled": 0.08,
    "message delayed": 0.1,
    "message lost in the pop": 0.12,
    "acknowledgement lost": 0.1,
    "commit fails": 0.3,
    "group rebalanced": 0.03,
    "publishing fails half-way": 0.15,
    "inference fails": 0.15,
    "producer fatal": 0.05,
}


def _dispatcher_killed(schedule: Schedule) -> None:
    random = schedule.world.random
    random.choice(schedule.dispatchers).kill(random.randrange(200))


def _dispatcher_stalled(schedule: Schedule) -> None:
    random = schedule.world.random
    random.choice(schedule.dispatchers).stall(random.randrange(4 * SESSION))


def _dispatcher_leaves(schedule: Schedule) -> None:
    random = schedule.world.random
    random.choice(schedule.dispatchers).leave(random.randrange(200))


def _group_rebalanced(schedule: Schedule) -> None:
    for group in schedule.kafka.groups.values():
        group.rebalance()


def _worker_killed(schedule: Schedule) -> None:
    random = schedule.world.random
    random.choice(schedule.workers).die(random.randrange(100))


def _worker_stopped(schedule: Schedule) -> None:
    random = schedule.world.random
    random.choice(schedule.workers).stop(random.randrange(100))


def _pool_process_killed(schedule: Schedule) -> None:
    schedule.world.random.choice(schedule.workers).lose_process()


def _worker_stalled(schedule: Schedule) -> None:
    random = schedule.world.random
    random.choice(schedule.workers).be_away(random.randrange(VISIBILITY * 3 // 2))


def _reconciler_killed(schedule: Schedule) -> None:
    schedule.reconciler.kill(schedule.world.random.randrange(200))


def _table_swapped(schedule: Schedule) -> None:
    schedule.table_number += 1


def _broker_down(schedule: Schedule) -> None:
    length = schedule.world.random.randrange(10, 1_500)
    schedule.world.take_down("broker", length)
    if not schedule.celery.redis:
        # a restarted RabbitMQ hands out again what its consumers had not acknowledged
        schedule.world.after(length, schedule.celery.hand_out_again)


def _broker_emptied(schedule: Schedule) -> None:
    schedule.celery.empty()
    schedule.notes.empty()


def _kafka_stalled(schedule: Schedule) -> None:
    random = schedule.world.random
    schedule.world.take_down(random.choice(("kafka", "kafka's writes")), random.randrange(10, 800))


def _store_down(schedule: Schedule) -> None:
    schedule.world.take_down("store", schedule.world.random.randrange(10, 5_000))


def _partitions_added(schedule: Schedule) -> None:
    random = schedule.world.random
    topic = random.choice(sorted(schedule.kafka.logs))
    if len(schedule.kafka.logs[topic]) < MOST_PARTITIONS:
        schedule.kafka.grow(topic, random.randint(1, 2))


def _records_expired(schedule: Schedule) -> None:
    random, kafka = schedule.world.random, schedule.kafka
    topic = random.choice([EVENTS, *schedule.lanes])
    partition = random.randrange(len(kafka.logs[topic]))
    kafka.expire(topic, partition, random.randint(kafka.begin(topic, partition), kafka.end(topic, partition)))


def _lane_refused(schedule: Schedule) -> None:
    random = schedule.world.random
    lane = random.choice([lane for lane in schedule.lanes if not lane.endswith(overflow_topic(""))])
    schedule.world.take_down(refusal_of(lane), random.randrange(10, 8_000))


STROKES: dict[Fault, Callable[[Schedule], None]] = {
    "dispatcher killed": _dispatcher_killed,
    "dispatcher stalled": _dispatcher_stalled,
    "dispatcher leaves": _dispatcher_leaves,
    "group rebalanced": _group_rebalanced,
    "worker killed": _worker_killed,
    "worker stopped": _worker_stopped,
    "pool process killed": _pool_process_killed,
    "worker stalled": _worker_stalled,
    "reconciler killed": _reconciler_killed,
    "table swapped": _table_swapped,
    "broker down": _broker_down,
    "broker emptied": _broker_emptied,
    "kafka stalled": _kafka_stalled,
    "store down": _store_down,
    "partitions added": _partitions_added,
    "records expired": _records_expired,
    "lane refused": _lane_refused,
}
