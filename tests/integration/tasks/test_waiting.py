"""A worker waits in place while a dependency is down."""

from pathlib import Path
from typing import Any

from kombu import Connection

from stack.embedded import free_port, running, valkey
from stack.embedded import kafka as embedded_kafka
from tests.integration.tasks.rig import Rig, wait_until
from transport.queues import celery_queue, transport_options


def waiting_messages(rig: Rig) -> int:
    """How many messages no worker has taken yet."""
    with Connection(rig.broker_url, transport_options=transport_options(rig.broker_url)) as connection:
        declared: Any = celery_queue(rig.spec.name)(connection.default_channel)
        return int(declared.queue_declare(passive=True).message_count)


def test_an_outage_of_the_store_costs_no_attempt_no_event_and_no_more_messages(
    rig: Rig, tmp_path: Path
) -> None:
    server = valkey(free_port(), tmp_path / "store")
    rig.redis_url = server.url
    worker = rig.start()
    for number in range(20):
        rig.send({f"e{number}": {"customer_id": "c1"}})
    # long enough for batches to be handed back: longer than any limit of one message
    wait_until(lambda: worker.text.count("sent on as 1 messages") >= 3, 60, "batches are handed back")
    rig.read()
    assert (rig.predictions, rig.letters) == ({}, [])
    assert waiting_messages(rig) >= 20 - 2

    with running(server, tmp_path / "store.log"):
        rig.wait_for(predictions=20, letters=0, seconds=40)

    assert {prediction.attempts for found in rig.predictions.values() for prediction in found} == {1}


def test_an_outage_of_kafka_costs_no_attempt_and_no_event(rig: Rig, tmp_path: Path) -> None:
    server = embedded_kafka(free_port())
    rig.workers_kafka = server.url
    worker = rig.start()
    rig.send({"a": {}, "b": {"do": "refuse"}})
    wait_until(lambda: "sent on as 1 messages" in worker.text, 60, "the batch is handed back")

    with running(server, tmp_path / "kafka.log"):
        there = Rig(rig.broker_url, rig.redis_url, server.url, rig.spec, tmp_path)
        there.workers = rig.workers
        there.wait_for(predictions=1, letters=1, seconds=40)
        worker.kill()
        there.close()

    assert there.predictions["a"][0].attempts == 1


def test_a_worker_that_waits_stops_at_once_and_its_batch_is_not_under_suspicion(
    rig: Rig, tmp_path: Path
) -> None:
    awake = tmp_path / "awake"
    worker = rig.start()
    rig.send({"a": {"do": "wait", "for": str(awake)}, "b": {}})
    wait_until(lambda: "waiting in place" in worker.text, 20, "the worker waits")

    assert worker.terminate(30) < 6
    assert waiting_messages(rig) == 1

    awake.touch()
    rig.start()
    rig.wait_for(predictions=2, letters=0, seconds=30)
    assert [entry["events"] for entry in rig.entries()][-1] == ["a"]


def test_only_the_events_whose_dependency_is_down_wait(rig: Rig, tmp_path: Path) -> None:
    awake = tmp_path / "awake"
    rig.start()
    rig.send({"a": {"do": "wait", "for": str(awake)}, "b": {}})

    rig.wait_for(predictions=1, letters=0, seconds=20)
    awake.touch()
    rig.wait_for(predictions=2, letters=0, seconds=20)

    assert len(rig.predictions["b"]) == 1
