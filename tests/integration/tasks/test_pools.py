"""Solo, threads and other pools keep the same guarantees."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.tasks.rig import Rig, queue_spec, wait_until


@pytest.mark.parametrize("pool", ["threads", "solo"])
def test_a_pool_without_processes_comes_to_the_same_outcomes(rig: Rig, pool: str) -> None:
    worker = rig.start("-Q", rig.spec.name, "--pool", pool, "--concurrency", "2")
    # who starts a stack waits for these words
    assert " is loaded" in worker.text
    rig.send({"a": {"customer_id": "c1"}, "b": {"do": "refuse"}})
    rig.send({"c": {"do": "retry"}, "d": {}}, max_retries=1)

    rig.wait_for(predictions=2, letters=2, seconds=30)

    assert rig.causes == {"rejected": 1, "retries_exhausted": 1}


def test_as_typed_a_worker_has_the_size_of_its_queues_pool(rig: Rig) -> None:
    rig.spec = queue_spec(rig.spec.name, concurrency=3)
    worker = rig.start("-Q", rig.spec.name)

    assert len(worker.children) == 3
    assert "concurrency: 3 (prefork)" in worker.text


def test_a_long_task_is_left_alone_while_a_worker_of_a_short_queue_looks_for_lost_messages(
    broker_url: str, redis_url: str, kafka: str, unique: Callable[[str], str], tmp_path: Path
) -> None:
    short, long = tmp_path / "short", tmp_path / "long"
    short.mkdir()
    long.mkdir()
    limits = {"soft_time_limit_s": 40, "time_limit_s": 50, "visibility_timeout_s": 60}
    quick = Rig(broker_url, redis_url, kafka, queue_spec(unique("ml.short"), visibility_timeout_s=7), short)
    slow = Rig(broker_url, redis_url, kafka, queue_spec(unique("ml.long"), **limits), long)
    try:
        quick.start()
        slow.start()
        slow.send({"a": {"do": "sleep", "seconds": 14}})
        quick.send({"b": {}})
        quick.wait_for(predictions=1, letters=0, seconds=20)

        slow.wait_for(predictions=1, letters=0, seconds=40)

        assert len(slow.entries()) == 1
    finally:
        quick.close()
        slow.close()


def test_a_worker_of_several_queues_serves_them_all(rig: Rig, unique: Callable[[str], str]) -> None:
    other = queue_spec(unique("ml.other"))
    rig.also = (other,)
    worker = rig.start("-Q", f"{rig.spec.name},{other.name}", "--concurrency", "1")
    rig.send({"a": {}})
    rig.wait_for(predictions=1, letters=0, seconds=20)
    rig.send({"b": {"do": "sleep", "seconds": 1}})
    wait_until(lambda: len(rig.entries()) == 2, 20, "the work began")
    worker.kill()
    rig.start("-Q", f"{rig.spec.name},{other.name}", "--concurrency", "1")

    rig.wait_for(predictions=2, letters=0, seconds=rig.spec.visibility_timeout_s + 15)
