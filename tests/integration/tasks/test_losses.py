"""The outcome of events whose worker was lost, hung, or was stopped."""

import os
import signal
from functools import partial

import pytest

from tests.integration.tasks.rig import Rig, queue_spec, wait_until


def begun(rig: Rig, batches: int) -> bool:
    """Whether the work on so many batches has begun."""
    return len(rig.entries()) >= batches


def test_an_event_that_kills_its_worker_ends_alone_in_the_dlq(rig: Rig) -> None:
    rig.start()
    rig.send({f"e{number}": {"do": "die"} if number == 17 else {} for number in range(64)})

    rig.wait_for(predictions=63, letters=1, seconds=90)

    assert rig.causes == {"worker_lost": 1}
    assert len(rig.entries()) < 64 + 10


def test_a_child_that_is_killed_from_outside_costs_nothing(rig: Rig) -> None:
    worker = rig.start()
    rig.send({"a": {"do": "sleep", "seconds": 2}, "b": {}})
    wait_until(rig.entries, 20, "the work began")
    os.kill(rig.entries()[0]["pid"], signal.SIGKILL)

    rig.wait_for(predictions=2, letters=0, seconds=40)

    assert worker.running


def test_a_batch_comes_again_within_seconds_of_the_loss_of_the_whole_worker(rig: Rig) -> None:
    first = rig.start()
    rig.send({"a": {"do": "sleep", "seconds": 2}, "b": {}})
    wait_until(rig.entries, 20, "the work began")
    first.kill()
    rig.start()

    rig.wait_for(predictions=2, letters=0, seconds=rig.spec.visibility_timeout_s + 15)


@pytest.mark.parametrize(
    ("payload", "cause"),
    [
        pytest.param({"do": "sleep", "seconds": 30}, "timeout", id="an event that takes too long is stopped"),
        pytest.param({"do": "hang"}, "worker_lost", id="an event that hangs in a library is killed"),
    ],
)
def test_an_event_that_never_ends_stands_alone_in_the_dlq(
    rig: Rig, payload: dict[str, object], cause: str
) -> None:
    rig.spec = queue_spec(rig.spec.name, soft_time_limit_s=2, time_limit_s=3)
    rig.start()
    rig.send({"slow": payload, "good": {}})

    rig.wait_for(predictions=1, letters=1, seconds=100)

    assert rig.causes == {cause: 1}


def test_an_event_that_only_waits_in_workers_that_are_stopped_is_never_given_up(rig: Rig) -> None:
    for number in range(4):
        worker = rig.start()
        rig.send({f"busy{number}": {"do": "sleep", "seconds": 1}})
        rig.send({f"waits{number}": {}})
        wait_until(partial(begun, rig, number + 1), 20, "the work began")
        worker.terminate(30)
    rig.start()

    rig.wait_for(predictions=8, letters=0, seconds=60)
