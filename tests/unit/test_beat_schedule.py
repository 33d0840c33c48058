"""Each scheduled task has a worker that serves its queue."""

from collections.abc import Mapping
from typing import Any

import pytest
from celery.schedules import BaseSchedule, crontab

from beat_schedule import BEAT_SCHEDULE
from routing import load

RULES = load("config/routing_table.yaml", "config/workflows.yaml")
QUEUES = RULES.catalogue.queues


@pytest.mark.parametrize("entry", BEAT_SCHEDULE.values(), ids=list(BEAT_SCHEDULE))
def test_an_entry_goes_to_a_queue_whose_worker_has_its_task(entry: Mapping[str, Any]) -> None:
    queue = QUEUES[entry["options"]["queue"]]
    # a worker has every task of the module that its queue names
    assert queue.task.rpartition(".")[0] == entry["task"].rpartition(".")[0]
    assert queue.served


@pytest.mark.parametrize("entry", BEAT_SCHEDULE.values(), ids=list(BEAT_SCHEDULE))
def test_an_entry_says_nothing_that_a_worker_would_refuse(entry: Mapping[str, Any]) -> None:
    assert isinstance(entry["schedule"], BaseSchedule)
    assert set(entry) == {"task", "schedule", "options"}
    assert set(entry["options"]) <= {"queue", "expires"}


def test_a_pool_that_was_down_for_a_day_finds_a_few_messages_of_those_that_come_each_minute() -> None:
    each_minute = [entry for entry in BEAT_SCHEDULE.values() if entry["schedule"] == crontab()]
    assert each_minute
    assert all(60 < entry["options"]["expires"] <= 600 for entry in each_minute)


@pytest.mark.parametrize("entry", BEAT_SCHEDULE.values(), ids=list(BEAT_SCHEDULE))
def test_what_expires_is_no_event(entry: Mapping[str, Any]) -> None:
    # one that does is malformed to a worker: Celery would drop it
    assert "expires" not in entry["options"] or entry["task"] not in {
        QUEUES[lane.queue].task for lane in RULES.lanes()
    }
