"""A PostgreSQL server that one test starts, freezes and stops."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from stack.embedded import free_port

USER = "postgres"


class Server(NamedTuple):
    """Its SQLAlchemy URL, and the folder of its data."""

    url: str
    data: Path

    def send(self, number: signal.Signals) -> None:
        """A signal for the server and each of its processes."""
        leader = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        found = subprocess.run(["pgrep", "-P", str(leader)], capture_output=True, text=True, check=False)
        for process in (leader, *map(int, found.stdout.split())):
            os.kill(process, number)


@contextmanager
def own_postgresql() -> Iterator[Server]:
    """Empty, on a free port. Skips the test if PostgreSQL is not installed."""
    tools = _tools()
    if tools is None or shutil.which("pgrep") is None:
        pytest.skip("PostgreSQL is not installed: no initdb")
    # the server refuses to run as root
    prefix = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    # not in pytest's folders, which are closed to other users
    folder = Path(tempfile.mkdtemp(prefix="signalbox-postgresql-"))
    if prefix:
        shutil.chown(folder, USER)
    data, port = folder / "data", free_port()
    control = [*prefix, str(tools / "pg_ctl"), "-D", str(data)]
    _run([*prefix, str(tools / "initdb"), "-D", str(data), "-A", "trust", "-U", USER, "--no-sync"])
    options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off"
    _run([*control, "-l", str(folder / "log"), "-w", "-t", "60", "-o", options, "start"])
    server = Server(f"postgresql+psycopg://{USER}@127.0.0.1:{port}/postgres", data)
    try:
        yield server
    finally:
        server.send(signal.SIGCONT)
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, capture_output=True, cwd="/")
        shutil.rmtree(folder, ignore_errors=True)


def _tools() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    on_path = shutil.which("initdb")
    return found[-1] if found else Path(on_path).parent if on_path else None


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd="/"
    )
    if done.returncode:
        pytest.fail(f"{command}: {done.stderr}")
