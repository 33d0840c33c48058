"""A Redis of a test's own, which may be frozen, killed and started again."""

import signal
import subprocess
from pathlib import Path

from stack.embedded import free_port, valkey
from tests.integration.dispatcher.ground import wait_until


class OwnRedis:
    """With an append-only file: a restart keeps its data."""

    def __init__(self, folder: Path) -> None:
        self._server = valkey(free_port(), folder / "redis")
        self.url = self._server.url
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return once it answers."""
        self._process = subprocess.Popen(
            self._server.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self._server.ready, 20, "redis answers")

    def freeze(self) -> None:
        """It keeps its connections and answers nobody."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it was."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """As a machine that loses power."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(10)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
