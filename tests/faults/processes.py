"""A real service or part of the system as a child process that can be killed, frozen and started again."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SIGNALBOX = (sys.executable, "-m", "cli")


def free_port() -> int:
    """A port on the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Return once `condition` holds. Raises `TimeoutError` naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)


def accepts(port: int) -> bool:
    """Whether something listens on this port of the loopback interface."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5):
        return True
    return False


class Child:
    """One process group. `kill` takes all of it at once, as a machine that loses power does."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self._command = list(command)
        self._log = log
        self._env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the group's leader. Raises `RuntimeError` if nothing runs."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the leader is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; its output goes to the end of its log."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self._env,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def signal_all(self, number: signal.Signals) -> None:
        """Send a signal to the whole group."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def kill(self) -> None:
        """SIGKILL to the whole group, and wait for its end."""
        self.signal_all(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def end(self, seconds: float = 20) -> int:
        """SIGTERM to the leader; its exit code. Raises `subprocess.TimeoutExpired`."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        self._process.terminate()
        return self._process.wait(seconds)

    def stop(self, seconds: float = 20) -> None:
        """SIGTERM to the leader, then SIGKILL to whoever is left."""
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        self.kill()


def signalbox(name: str, arguments: Sequence[str], log_dir: Path, env: Mapping[str, str]) -> Child:
    """A part of the system, started by its own command."""
    return Child(name, [*SIGNALBOX, *arguments], log_dir / f"{name}.log", env)


def redis(name: str, port: int, folder: Path) -> Child:
    """A Redis with an append-only file that never evicts."""
    data = folder / name
    data.mkdir(parents=True, exist_ok=True)
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if binary is None:
        raise FileNotFoundError("redis-server is not installed: apt-get install redis-server")
    options = ["--port", str(port), "--dir", str(data), "--appendonly", "yes", "--appendfsync", "everysec"]
    return Child(
        name, [binary, *options, "--save", "", "--maxmemory-policy", "noeviction"], folder / f"{name}.log"
    )


def kafka(port: int, controller_port: int, folder: Path) -> Child:
    """An Apache Kafka (KRaft, one node) from the jars that `make kafka` put into KAFKA_LIB."""
    jars = Path(os.environ.get("KAFKA_LIB", ROOT / "var/kafka/lib"))
    if not jars.is_dir():
        raise FileNotFoundError(f"no Kafka jars in {jars}: run `make kafka` once, or set KAFKA_LIB")
    properties = folder / "kafka.properties"
    properties.write_text(
        "\n".join(
            [
                "process.roles=broker,controller",
                "node.id=1",
                f"controller.quorum.voters=1@127.0.0.1:{controller_port}",
                f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
                "controller.listener.names=CONTROLLER",
                f"log.dirs={folder / 'kafka'}",
                "offsets.topic.replication.factor=1",
                "offsets.topic.num.partitions=8",
                "transaction.state.log.replication.factor=1",
                "transaction.state.log.min.isr=1",
                "share.coordinator.state.topic.replication.factor=1",
                "share.coordinator.state.topic.min.isr=1",
                "group.initial.rebalance.delay.ms=0",
                "auto.create.topics.enable=false",
                "",
            ]
        )
    )
    # what kafka-server-start.sh starts a broker with
    tuning = ["-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35"]
    java = ["java", "-Xmx768m", *tuning, "-cp", f"{jars}/*"]
    if not (folder / "kafka").exists():
        format_log = [
            "kafka.tools.StorageTool",
            "format",
            "-t",
            "AAAAAAAAQACAAAAAAAAAAQ",
            "-c",
            str(properties),
        ]
        subprocess.run([*java, *format_log], check=True, capture_output=True)
    return Child("kafka", [*java, "kafka.Kafka", str(properties)], folder / "kafka.log")


def rabbitmq(port: int, folder: Path) -> Child:
    """A RabbitMQ node of its own, with its data under `folder`."""
    binary = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    if not binary.exists():
        raise FileNotFoundError("rabbitmq-server is not installed: apt-get install rabbitmq-server")
    home = folder / "rabbitmq"
    home.mkdir(exist_ok=True)
    env = {
        "HOME": str(home),
        "RABBITMQ_NODENAME": f"signalbox{port}@localhost",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
    }
    return Child("rabbitmq", [str(binary)], folder / "rabbitmq.log", env)


def mlflow(port: int, backend: str, folder: Path) -> Child:
    """An MLflow server over an SQL database; its artifacts stand in `folder / "artifacts"`."""
    # the folder is one that may be taken away: MLflow works elsewhere
    options = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--backend-store-uri", backend]
    artifacts = ["--artifacts-destination", str(folder / "artifacts")]
    env = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [sys.executable, "-m", "mlflow", "server", *options, *artifacts]
    return Child("mlflow", command, folder / "mlflow.log", env)


def postgres(port: int, folder: Path) -> Child:
    """A PostgreSQL with a database `postgres` and a user of that name, who needs no password."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise FileNotFoundError("postgresql is not installed: apt-get install postgresql")
    binaries, home = found[-1].parent, folder / "postgres"
    # it refuses to run as root
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder.chmod(0o755)
    home.mkdir()
    if prefix:
        shutil.chown(home, "postgres")
    data = home / "data"
    making = [*prefix, str(binaries / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres"]
    subprocess.run(making, check=True, capture_output=True, cwd="/")
    options = ["-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(home)]
    return Child("postgres", [*prefix, str(binaries / "postgres"), *options], folder / "postgres.log")
