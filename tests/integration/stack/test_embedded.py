"""The embedded servers behave as the system needs of the real ones."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from redis import Redis

from stack.embedded import EmbeddedError, Server, accepts, free_port, kafka, redis_answers, running, valkey
from stack.tether import tethered
from transport.topics import TopicSpec, create_topics


def test_the_embedded_kafka_gives_back_what_was_written(tmp_path: Path) -> None:
    with running(kafka(free_port()), tmp_path / "log") as bootstrap:
        create_topics(AdminClient({"bootstrap.servers": bootstrap}), [TopicSpec("orders", 2)])
        producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
        for number in range(100):
            producer.produce("orders", value=str(number).encode(), key=str(number % 7).encode())
        assert producer.flush(10) == 0
        consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "test",
                "auto.offset.reset": "earliest",
                "session.timeout.ms": 6_000,
            }
        )
        consumer.subscribe(["orders"])
        read: set[bytes | None] = set()
        deadline = time.monotonic() + 30
        while len(read) < 100 and time.monotonic() < deadline:
            read.update(message.value() for message in consumer.consume(100, 0.1))
        consumer.close()
    assert read == {str(number).encode() for number in range(100)}


def test_the_embedded_redis_keeps_its_data_over_a_restart_and_never_evicts(tmp_path: Path) -> None:
    for _ in range(2):
        with (
            running(valkey(free_port(), tmp_path / "data"), tmp_path / "log") as url,
            Redis.from_url(url, decode_responses=True) as client,
        ):
            client.incr("starts")
            starts = client.get("starts")
            policy = client.config_get("maxmemory-policy")
    assert starts == "2"
    assert policy == {"maxmemory-policy": "noeviction"}


def test_nothing_answers_once_it_is_stopped(tmp_path: Path) -> None:
    port = free_port()
    with running(valkey(port, tmp_path / "data"), tmp_path / "log") as url:
        assert redis_answers(url)
    assert not accepts(port)


def test_a_server_that_does_not_start_says_what_it_said(tmp_path: Path) -> None:
    broken = Server("kafka", ("sh", "-c", "echo no space left; exit 1"), "", lambda: False, durable=False)
    with (
        pytest.raises(EmbeddedError, match=r"embedded kafka did not start; .*no space left"),
        running(broken, tmp_path / "log"),
    ):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent's life")
def test_what_is_tethered_ends_with_a_starter_that_was_killed(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    program = (
        "import subprocess, sys, time\n"
        "from stack.tether import tethered\n"
        f"subprocess.Popen(tethered(['sh', '-c', 'echo $$ > {pid_file}; exec sleep 60']))\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as starter:
        _until(lambda: pid_file.exists() and pid_file.read_text().strip() != "")
        starter.send_signal(signal.SIGKILL)
    child = int(pid_file.read_text())
    _until(lambda: not _alive(child))


def test_a_tethered_command_answers_with_its_own_exit_code() -> None:
    assert subprocess.run(tethered(["sh", "-c", "exit 7"]), check=False).returncode == 7


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
