"""One process of the stack: what it is started with, and what it is at the moment."""

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from stack.restarting import Restarts
from stack.tether import tethered

Sink = Callable[[str, str], None]
"""Takes the name of a process and one line that it printed; called from several threads."""
LAST_LINES = 8
"""So many of its last lines are shown of a process that ended."""


@dataclass(frozen=True, slots=True)
class Service:
    """One process to keep running.

    `ready` tells whether it answers; it is waited for at the first start. `after_restart` is called once it
    answers again after it had died. Higher tiers stand on lower ones and are stopped before them. `grace` is
    the time in seconds between SIGTERM and SIGKILL; 0 for one that has nothing to save: it is killed at once.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    after_restart: Callable[[], None] | None = None
    tier: int = 1
    grace: float = 10


class Child:
    """A service and the process that it is at the moment."""

    def __init__(self, service: Service, sink: Sink) -> None:
        self.service = service
        self.restarts = Restarts()
        self.started_at = 0.0
        self.starts_at: float | None = None
        self.recovering = False
        self.deaths = 0
        self.last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self._sink = sink
        self._process: subprocess.Popen[bytes] | None = None
        self._forwarder: threading.Thread | None = None

    @property
    def exit_code(self) -> int | None:
        """None while it runs, negative if a signal ended it."""
        return self._process.poll() if self._process else 0

    def spawn(self, now: float) -> None:
        """Start the process; its lines go to the sink."""
        self._process = process = subprocess.Popen(
            tethered(list(self.service.command)),
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.service.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone
        )
        self.started_at, self.starts_at = now, None
        self.last_lines.clear()
        self._forwarder = threading.Thread(target=self._forward, args=(process,), daemon=True)
        self._forwarder.start()

    def _forward(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is not None:
            with process.stdout as lines:
                for line in lines:
                    text = line.decode(errors="replace").rstrip()
                    self.last_lines.append(text)
                    self._sink(self.service.name, text)

    def last_words(self, patience: float = 1) -> tuple[str, ...]:
        """The last lines of a process that ended; waits up to `patience` seconds for its pipe."""
        if self._forwarder is not None:
            self._forwarder.join(patience)
        return tuple(line for line in self.last_lines if line.strip())

    def terminate(self) -> None:
        """Ask it to end; it sees to its own children."""
        if self.service.grace == 0:
            self.sweep()
        elif self._process:
            self._process.terminate()

    def sweep(self) -> None:
        """End what is left of its process group."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
