"""What operators type while a worker is at work: afterwards it serves as before, and no event is lost."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery.app.control import Control, Inspect

from tests.integration.tasks.rig import TASK, Rig, Worker, queue_spec, wait_until

COMMANDS: dict[str, Callable[[Control, Rig], Any]] = {
    "revoke": lambda control, _: control.revoke("no-such-id"),
    "terminate": lambda control, _: control.terminate("no-such-id", signal="SIGKILL"),
    "revoke by stamps": lambda control, _: control.revoke_by_stamped_headers({"header": "value"}),
    "rate_limit": lambda control, _: control.rate_limit(TASK, "1000/s"),
    "rate_limit off": lambda control, _: control.rate_limit(TASK, 0),
    "time_limit": lambda control, _: control.time_limit(TASK, soft=4, hard=6),
    "add_consumer of what it serves": lambda control, rig: control.add_consumer(rig.spec.name),
    "add_consumer of what it does not serve": lambda control, _: control.add_consumer("ml.other.input"),
    "cancel_consumer of that": lambda control, _: control.cancel_consumer("ml.other.input"),
    "pool_grow": lambda control, _: control.pool_grow(1),
    "pool_shrink": lambda control, _: control.pool_shrink(1),
    "pool_restart": lambda control, _: control.pool_restart(),
    "autoscale": lambda control, _: control.autoscale(max=3, min=1),
    "enable_events": lambda control, _: control.enable_events(),
    "disable_events": lambda control, _: control.disable_events(),
    "heartbeat": lambda control, _: control.heartbeat(),
    "election": lambda control, _: control.election("id", "topic"),
    "purge": lambda control, _: control.purge(),
    "a command that is none": lambda control, _: control.broadcast("no_such_command"),
}

QUESTIONS = (
    *("active", "active_queues", "clock", "conf", "ping", "query_task", "registered", "report", "reserved"),
    *("revoked", "scheduled", "stats"),
)


@pytest.fixture
def redis_rig(
    redis_url: str, kafka: str, unique: Callable[[str], str], tmp_path: Path
) -> Iterator[Callable[..., Rig]]:
    """Makes a rig with a broker that is quick to ask."""
    made: list[Rig] = []

    def make(**changes: Any) -> Rig:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Rig(redis_url, redis_url, kafka, queue_spec(unique("ml.test.input"), **changes), folder))
        return made[-1]

    yield make
    for rig in made:
        rig.close()


def serves(rig: Rig, event_id: str) -> None:
    """Returns once a new event has its prediction."""
    rig.send({event_id: {}})
    rig.wait_for(predictions=len(rig.predictions) + 1, letters=0, seconds=30)


def served(rig: Rig, event_id: str) -> bool:
    """Whether an event has its prediction."""
    rig.read()
    return event_id in rig.predictions


def replies(rig: Rig, worker: Worker, question: str) -> Any:
    """What the worker answers."""
    inspect: Inspect = rig.app.control.inspect(timeout=5, limit=1)
    arguments = (["no-such-id"],) if question == "query_task" else ()
    return (getattr(inspect, question)(*arguments) or {"": f"no answer: {worker.text[-2_000:]}"}).popitem()[1]


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_after_each_control_command_the_same_worker_serves_on(
    redis_rig: Callable[..., Rig], pool: str
) -> None:
    rig = redis_rig(pool=pool)
    worker = rig.start("-Q", rig.spec.name, "--pool", pool, "--concurrency", "1")
    pid = worker.pid
    for number, (name, command) in enumerate(COMMANDS.items()):
        command(rig.app.control, rig)
        serves(rig, f"after {number}")
        assert (worker.running, worker.pid) == (True, pid), f"{name}: {worker.text[-4_000:]}"
    assert "Unrecoverable" not in worker.text


def test_every_question_of_inspect_is_answered(redis_rig: Callable[..., Rig]) -> None:
    rig = redis_rig(pool="threads")
    worker = rig.start("-Q", rig.spec.name, "--pool", "threads", "--concurrency", "1")
    serves(rig, "before")  # it listens to questions a moment after it says that it is ready
    for question in QUESTIONS:
        assert "no answer" not in str(replies(rig, worker, question)), question
    serves(rig, "afterwards")


@pytest.mark.parametrize("signal", ["SIGTERM", "SIGKILL", "SIGUSR1"])
def test_a_task_that_is_terminated_takes_no_other_with_it(redis_rig: Callable[..., Rig], signal: str) -> None:
    rig = redis_rig()
    worker = rig.start()
    rig.send({"slow": {"do": "sleep", "seconds": 3}})
    wait_until(rig.entries, 20, "the work begins")
    wait_until(lambda: replies(rig, worker, "active"), 20, "the worker shows it")
    (running,) = replies(rig, worker, "active")

    rig.app.control.terminate(running["id"], signal=signal)

    rig.send({"next": {}})
    wait_until(lambda: served(rig, "next"), 30, "the next event is served")
    # what was terminated on purpose has no outcome: the reconciler feeds it again
    rig.send({"slow": {}})
    wait_until(lambda: served(rig, "slow"), 30, "and the terminated one comes again")
    assert worker.running


def test_a_pool_that_scales_by_itself_serves(redis_rig: Callable[..., Rig]) -> None:
    rig = redis_rig()
    worker = rig.start("-Q", rig.spec.name, "--autoscale", "3,1")
    for number in range(12):
        rig.send({f"e{number}": {"do": "sleep", "seconds": 0.3}})
    rig.wait_for(predictions=12, letters=0, seconds=40)
    assert worker.running


@pytest.mark.parametrize("arguments", [(), ("-X", "ml.excluded.input")], ids=["without -Q", "-X"])
def test_a_worker_serves_all_queues_but_the_excluded_ones(
    redis_rig: Callable[..., Rig], arguments: tuple[str, ...]
) -> None:
    rig = redis_rig(pool="threads")
    rig.also = (queue_spec("ml.excluded.input"),)
    worker = rig.start(*arguments, "--pool", "threads", "--concurrency", "2")
    serves(rig, "a")
    queues = {queue["name"] for queue in replies(rig, worker, "active_queues")}
    assert queues == {rig.spec.name, *(() if arguments else ("ml.excluded.input",))}


def test_a_worker_that_is_shut_down_from_afar_ends_and_leaves_its_messages(
    redis_rig: Callable[..., Rig],
) -> None:
    rig = redis_rig(pool="threads")
    worker = rig.start("-Q", rig.spec.name, "--pool", "threads", "--concurrency", "1")
    for number in range(4):
        rig.send({f"e{number}": {"do": "sleep", "seconds": 0.5}})
    wait_until(rig.entries, 20, "the work begins")
    rig.app.control.shutdown()
    wait_until(lambda: not worker.running, 30, "it ends")

    rig.start("-Q", rig.spec.name, "--pool", "threads", "--concurrency", "1")
    rig.wait_for(predictions=4, letters=0, seconds=40)
