"""A process made of threads: all stop together, none dies in silence, and one that fails is run again."""

import logging
import signal
import threading
from collections.abc import Callable
from time import monotonic
from types import FrameType

from core.backoff import exponential
from events.errors import ConfigError
from transport import metrics

_log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.2
LAST_WAIT_S = 30.0
SHORTEST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0


class Threads:
    """Threads that end when `stop` is set.

    A target that raises is called again after a pause, and the other threads go on. `ConfigError` is
    permanent for the process: it stops all of them.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._threads: list[threading.Thread] = []
        self._failed = threading.Event()

    def start(self, name: str, target: Callable[[], None]) -> None:
        """Run `target` on a thread of its own until it returns, which it should once `stop` is set."""
        # a daemon: one that hangs while it stops must not keep the process alive
        thread = threading.Thread(target=self._guard, args=(name, target), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def wait(self) -> int:
        """Return the process's exit code once all have stopped; non-zero if one died or hangs."""
        # waits in slices: only between them does Python run the handler of a signal
        while not self._stop.wait(LOOK_EVERY_S):
            pass
        deadline = monotonic() + LAST_WAIT_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))
            if thread.is_alive():
                _log.error("%s did not stop within %d s", thread.name, LAST_WAIT_S)
                self._failed.set()
        return 1 if self._failed.is_set() else 0

    def _guard(self, name: str, target: Callable[[], None]) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                target()
                break
            except ConfigError:
                _log.exception("%s cannot work as it is configured: the process ends", name)
                self._failed.set()
                self._stop.set()
                return
            except Exception:  # noqa: BLE001 - the outermost loop of a thread: it logs why, and begins again
                pause = exponential(failures, SHORTEST_PAUSE_S, LONGEST_PAUSE_S)
                _log.exception("%s failed; it begins again in %.0f s, the other threads go on", name, pause)
                metrics.THREADS_RESTARTED.labels(name).inc()
            self._stop.wait(pause)
            failures += 1
        if not self._stop.is_set():
            _log.error("%s ended though nobody stopped it: the process ends", name)
            self._failed.set()
            self._stop.set()


def stop_on_signals(stop: threading.Event) -> None:
    """SIGTERM and SIGINT set `stop`. Call it on the main thread."""

    def on_signal(number: int, _frame: FrameType | None) -> None:
        _log.info("%s: stopping", signal.Signals(number).name)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
