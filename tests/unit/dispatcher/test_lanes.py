"""Lanes and topics of a table and a catalogue, and the longest time in flight."""

from dataclasses import replace

import pytest

from dispatcher.lanes import backoffs_ms, horizon_ms, lanes_of, stranded
from events.priority import Priority
from routing import Catalogue, LaneSpec, QueueSpec, Route, Rules, Table

ORDERS = Route(
    event_type="order.placed",
    rule="order.placed[0]",
    workflow="fraud",
    priority=Priority.HIGH,
    sla_ms=100,
    queue="ml.fraud.input",
)


def queue(name: str, *, served: bool = True) -> QueueSpec:
    return QueueSpec(
        name=name,
        workflow="fraud",
        task="tasks.fraud.score",
        pool="prefork",
        concurrency=2,
        prefetch=1,
        nice=0,
        soft_time_limit_s=10,
        time_limit_s=12,
        visibility_timeout_s=15,
        window=2,
        max_batch=1_024,
        served=served,
    )


def rules(*routes: Route, queues: tuple[QueueSpec, ...] = (queue("ml.fraud.input"),)) -> Rules:
    return Rules(Table.of(routes), Catalogue({}, {each.name: each for each in queues}))


def lane(topic: str, priority: Priority, max_batch: int) -> LaneSpec:
    return LaneSpec(topic, "ml.fraud.input", priority, "tasks.fraud.score", max_batch)


HIGH = lane("ml.fraud.input.high", Priority.HIGH, 1_024)
LOW = lane("ml.fraud.input.low", Priority.LOW, 64)


@pytest.mark.parametrize(
    ("topics", "expected"),
    [
        pytest.param({"ml.fraud.input.high", "retail.events"}, (HIGH,), id="the table's lane"),
        pytest.param(
            {"ml.fraud.input.high", "ml.fraud.input.low"},
            (HIGH, LOW),
            id="a lane that an earlier table has left is fed until it is empty",
        ),
        pytest.param(
            {"ml.churn.input.low"}, (), id="nobody knows whose task the lane of an unknown queue is"
        ),
        pytest.param(set(), (), id="no topic, no lane"),
    ],
)
def test_lanes_are_the_topics_that_exist(topics: set[str], expected: tuple[LaneSpec, ...]) -> None:
    assert lanes_of(rules(ORDERS), topics) == expected


def test_a_queue_without_workers_keeps_its_events_in_their_lanes() -> None:
    unserved = rules(ORDERS, queues=(queue("ml.fraud.input", served=False),))
    assert lanes_of(unserved, {"ml.fraud.input.high"}) == ()


@pytest.mark.parametrize(
    ("topics", "expected"),
    [
        pytest.param(
            {"ml.fraud.input.low", "ml.fraud.input.dlq"}, set(), id="its queue is known: it is drained"
        ),
        pytest.param(
            {"ml.old.input.low", "ml.old.input.dlq"},
            {"ml.old.input.low"},
            id="its queue is gone: nobody drains it",
        ),
        pytest.param({"sales.low", "sales"}, set(), id="a topic of somebody else's that only ends alike"),
    ],
)
def test_a_lane_that_nobody_can_drain_is_named(topics: set[str], expected: set[str]) -> None:
    assert stranded(rules(ORDERS), topics) == expected


@pytest.mark.parametrize(
    ("max_retries", "backoff_ms", "expected"),
    [
        pytest.param(0, 1_000, 0, id="no retry, no pause"),
        pytest.param(3, 1_000, 7_000, id="each pause is twice the one before"),
        pytest.param(3, 40_000, 40_000 + 60_000 + 60_000, id="and never more than a minute"),
    ],
)
def test_the_pauses_before_all_retries(max_retries: int, backoff_ms: int, expected: int) -> None:
    assert backoffs_ms(replace(ORDERS, max_retries=max_retries, backoff_ms=backoff_ms)) == expected


def test_a_record_may_be_lost_with_its_worker_handed_out_again_and_retried() -> None:
    patient = replace(ORDERS, event_type="order.returned", max_retries=4)
    assert horizon_ms(rules(ORDERS, patient), "ml.fraud.input") == 12_000 + 15_000 + 15_000 + 2_000
