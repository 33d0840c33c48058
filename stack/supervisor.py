"""How a handful of processes is kept running, shown, and stopped without leaving one behind.

Call it from one thread, the main one: the kernel ends a tethered child with the *thread* that started it.
docs/decisions/0002 says why no library does this.
"""

import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from events.errors import SignalboxError
from stack.child import Child, Service, Sink

ITSELF = "signalbox"
"""The name under which the supervisor itself speaks."""
READY_S = 120.0
"""Enough for the slowest, the model registry, on a machine that has nothing to spare."""


SLOW_STOP_S = 3.0
"""Who takes longer to stop is named."""


class StartError(SignalboxError):
    """A process did not come up."""


class Supervisor:
    """Starts services in order, starts again what dies, stops all of it in reverse. Use it in a `with`."""

    def __init__(self, sink: Sink, clock: Callable[[], float] = time.monotonic) -> None:
        self._sink = sink
        self._clock = clock
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def launch(self, service: Service) -> Child:
        """Start a service and go on; `await_ready` tells when it is up."""
        child = Child(service, self._sink)
        self._children.append(child)
        child.spawn(self._clock())
        return child

    def await_ready(self, child: Child, timeout: float = READY_S) -> None:
        """Return once it is ready, keeping the others running meanwhile.

        Raises `StartError` if it ends before, or is not ready within `timeout` seconds.
        """
        service, deadline = child.service, self._clock() + timeout
        while service.ready is not None and not service.ready():
            if (code := child.exit_code) is not None:
                words = "".join(f"\n  {line}" for line in child.last_words())
                raise StartError(f"{service.name} ended with {_how(code)} before it was ready{words}")
            if self._clock() > deadline:
                raise StartError(f"{service.name} was not ready within {timeout:.0f} s")
            self.watch()
            time.sleep(0.05)

    def await_each(self, children: Sequence[Child], timeout: float = READY_S) -> tuple[Child, ...]:
        """Wait for all of them at once; those that ended or were not ready within `timeout` seconds.

        They are started again as ever: one part that is broken does not stop the others.
        """
        deadline = self._clock() + timeout
        waiting, failed = list(children), list[Child]()
        while waiting and self._clock() < deadline:
            self.watch()
            failed += [child for child in waiting if child.deaths]
            waiting = [child for child in waiting if not child.deaths and not _ready(child)]
            time.sleep(0.05)
        for child in waiting:
            self._sink(ITSELF, f"{child.service.name} is not ready after {timeout:.0f} s: goes on starting")
        return (*failed, *waiting)

    @property
    def children(self) -> tuple[Child, ...]:
        """Every process that runs or is to run, in the order in which they were started."""
        return tuple(self._children)

    def start(self, service: Service, timeout: float = READY_S) -> None:
        """Start a service and return once it is ready. Raises `StartError` as `await_ready` does."""
        self.await_ready(self.launch(service), timeout)

    def watch(self) -> None:
        """Look at every process once, and do what is due. Call it a few times a second."""
        now = self._clock()
        for child in self._children:
            if child.starts_at is not None:
                self._revive(child, now)
            elif child.exit_code is not None:
                self._bury(child, now)
            elif child.recovering:
                self._recover(child)

    def _bury(self, child: Child, now: float) -> None:
        code = child.exit_code or 0
        child.deaths += 1
        child.sweep()
        pause = child.restarts.pause_after(now - child.started_at)
        child.starts_at = now + pause
        self._sink(ITSELF, f"{child.service.name} ended ({_how(code)}); starts again in {pause:g} s")
        for line in child.last_words():
            self._sink(ITSELF, f"  {child.service.name}: {line}")

    def _revive(self, child: Child, now: float) -> None:
        if child.starts_at is not None and now >= child.starts_at:
            child.spawn(now)
            child.recovering = True

    def _recover(self, child: Child) -> None:
        ready, after_restart = child.service.ready, child.service.after_restart
        if ready is None or ready():
            try:
                if after_restart is not None:
                    after_restart()
            except SignalboxError as error:  # it may have died once more: the next look tells
                self._sink(ITSELF, f"{child.service.name}: {error}")
            else:
                child.recovering = False
                self._sink(ITSELF, f"{child.service.name} runs again")

    def stop(self) -> None:
        """End every process, the highest tier first: SIGTERM, its grace, then SIGKILL for the whole group."""
        children, self._children = self._children, []
        try:
            for tier in sorted({child.service.tier for child in children}, reverse=True):
                self._stop_together([child for child in children if child.service.tier == tier])
        finally:  # a second Ctrl-C arrives here
            for child in children:
                child.sweep()

    def _stop_together(self, children: list[Child]) -> None:
        asked = self._clock()
        for child in reversed(children):
            child.terminate()
        slowest = ""
        while running := [child for child in children if child.exit_code is None]:
            slowest = running[0].service.name
            late = [child for child in running if self._clock() - asked > child.service.grace]
            for child in late:
                self._sink(
                    ITSELF, f"{child.service.name} did not end within {child.service.grace:g} s: killed"
                )
                child.sweep()
            time.sleep(0.02)
        if (took := self._clock() - asked) > SLOW_STOP_S:
            self._sink(ITSELF, f"{slowest} took {took:.1f} s to stop")
        for child in children:
            child.sweep()


def _ready(child: Child) -> bool:
    return child.service.ready is None or child.service.ready()


def _how(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"
