"""Celery settings by the queues that a worker serves."""

import pytest

from routing.catalogue import QueueSpec
from tasks.configuration import settings, time_limits, worker_transport_options
from tests.unit.tasks.test_policy import spec

REDIS = "redis://127.0.0.1/1"
RABBITMQ = "amqp://127.0.0.1//"
SHORT = spec()
LONG = spec(
    name="ml.forecast.batch",
    task="tasks.forecast.forecast",
    soft_time_limit_s=900,
    time_limit_s=960,
    visibility_timeout_s=1_200,
)
MIDDLE = spec(
    name="ml.forecast.input",
    task="tasks.forecast.forecast",
    soft_time_limit_s=120,
    time_limit_s=150,
    visibility_timeout_s=180,
)


def test_on_redis_a_worker_of_one_queue_has_keys_of_its_own_and_that_queues_timeout() -> None:
    short, long = (worker_transport_options(REDIS, [queue]) for queue in (SHORT, LONG))

    assert (short["visibility_timeout"], long["visibility_timeout"]) == (15, 1_200)
    for key in ("unacked_key", "unacked_index_key", "unacked_mutex_key"):
        assert short[key] != long[key]


def test_on_redis_a_worker_of_several_queues_shares_kombus_keys_and_waits_for_the_slowest() -> None:
    options = worker_transport_options(REDIS, [SHORT, LONG])

    assert options["visibility_timeout"] == 1_200
    assert "unacked_key" not in options


def test_what_a_lost_worker_held_is_looked_for_every_few_seconds() -> None:
    options = worker_transport_options(REDIS, [SHORT])

    assert options["unacked_restore_interval"] * options["unacked_restore_throttle"] <= 5
    assert options["unacked_mutex_expire"] <= SHORT.visibility_timeout_s


def test_rabbitmq_knows_no_visibility_timeout() -> None:
    options = worker_transport_options(RABBITMQ, [SHORT])

    assert options["confirm_publish"]
    assert not [name for name in options if name.startswith(("unacked", "visibility"))]


@pytest.mark.parametrize(
    ("queues", "expected"),
    [
        pytest.param([SHORT], {"tasks.fraud.score": (10, 12)}, id="one queue"),
        pytest.param([MIDDLE], {"tasks.forecast.forecast": (120, 150)}, id="the short one of two"),
        pytest.param([MIDDLE, LONG], {"tasks.forecast.forecast": (900, 960)}, id="both: the longer"),
        pytest.param(
            [SHORT, MIDDLE],
            {"tasks.fraud.score": (10, 12), "tasks.forecast.forecast": (120, 150)},
            id="two workflows",
        ),
    ],
)
def test_time_limits_are_those_of_the_queues_that_a_worker_serves(
    queues: list[QueueSpec], expected: dict[str, tuple[int, int]]
) -> None:
    assert time_limits(queues) == expected


def test_a_lost_worker_and_a_hard_limit_send_the_message_back_and_nothing_else_retries_it() -> None:
    said = settings(REDIS, [SHORT], {})

    assert said["task_acks_late"]
    assert said["task_reject_on_worker_lost"]
    assert said["task_acks_on_timeout"] is False
    assert said["task_retry_on_worker_lost"] is False


def test_messages_are_json_and_no_queue_is_made_up() -> None:
    said = settings(REDIS, [SHORT, LONG], {})

    assert said["accept_content"] == ["json"]
    assert said["task_create_missing_queues"] is False
    assert [queue.name for queue in said["task_queues"]] == ["ml.fraud.input", "ml.forecast.batch"]
    assert all(queue.queue_arguments == {"x-max-priority": 9} for queue in said["task_queues"])
