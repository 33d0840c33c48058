"""Scheduled tasks are retried by Celery while a dependency is away."""

from typing import Any

import pytest
from celery import Celery
from celery.exceptions import Retry as TaskRetry

from events.errors import Unavailable
from tasks.clocked import ClockTask


class Upkeep(ClockTask):
    """SQL is away, or a bug meets it."""

    name = "tests.upkeep"
    error: Exception = Unavailable("database", "deadlock detected")

    def run(self) -> str:
        """Fails."""
        raise self.error


@pytest.fixture
def task() -> Any:
    """Registered, with a broker of its own."""
    app = Celery("bench", broker="memory://", set_as_current=False)
    return app.register_task(Upkeep())


def attempt(task: Any, retries: int) -> None:
    """Run it as a worker does, after so many retries."""
    task.push_request(id="1", args=(), kwargs={}, retries=retries, called_directly=False, delivery_info={})
    try:
        task.run()
    finally:
        task.pop_request()


@pytest.mark.parametrize("retries", range(5))
def test_what_passes_by_itself_is_retried_with_a_growing_pause(task: Any, retries: int) -> None:
    with pytest.raises(TaskRetry) as retried:
        attempt(task, retries)
    pause: Any = retried.value.when
    assert 0 <= pause <= min(60, 2 * 2**retries)


def test_after_five_retries_it_has_failed_and_the_clock_asks_again(task: Any) -> None:
    with pytest.raises(Unavailable):
        attempt(task, 5)


def test_a_bug_is_not_retried(task: Any) -> None:
    task.error = ZeroDivisionError("a bug")
    with pytest.raises(ZeroDivisionError):
        attempt(task, 0)
