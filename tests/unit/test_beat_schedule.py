"""Is there a worker for what runs by the clock?"""

from collections.abc import Mapping
from typing import Any

import pytest
from celery.schedules import BaseSchedule

from beat_schedule import BEAT_SCHEDULE
from routing import load

QUEUES = load("config/routing_table.yaml", "config/workflows.yaml").catalogue.queues


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
    assert set(entry["options"]) == {"queue"}, "a message that expires is malformed to our workers"
