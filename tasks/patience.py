"""How a worker waits in place while a dependency is down."""

import logging
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from events.decision import Millis
from events.errors import Unavailable
from tasks.policy import Limits, Pause, next_refusal, next_wait
from transport.metrics import DEPENDENCY_WAIT

T = TypeVar("T")
logger = logging.getLogger(__name__)

SLICE_MS = 100
"""How long a worker that was asked to stop may go on sleeping."""


class Timer(Protocol):
    """Time that passes, and a way to let it pass; both in milliseconds."""

    def now(self) -> Millis:
        """Milliseconds since some moment. Never goes back."""

    def sleep(self, length: Millis) -> None:
        """Let `length` milliseconds pass."""


class SystemTimer:
    """The machine's."""

    def now(self) -> Millis:
        """Monotonic."""
        return time.monotonic_ns() // 1_000_000

    def sleep(self, length: Millis) -> None:
        """Blocks the thread."""
        time.sleep(length / 1_000)


class OutOfPatience(Exception):  # noqa: N818 - control flow between a wait and its task, not a failure
    """It has waited as long as it may: the batch is to be handed back."""

    def __init__(self, error: Unavailable) -> None:
        super().__init__(str(error))
        self.dependency = error.dependency


class Patience:
    """The waiting of one task, from the moment on at which it took its message."""

    def __init__(self, limits: Limits, stopping: Callable[[], bool], timer: Timer) -> None:
        self._limits = limits
        self._stopping = stopping
        self._timer = timer
        self._began = timer.now()
        self._pauses = 0
        self.waiting = False
        """Whether a dependency is down: a time limit that strikes now says nothing about the events."""

    def through(self, call: Callable[[], T]) -> T:
        """The answer of `call`, once what it needs is there. Raises `OutOfPatience`."""
        while True:
            try:
                answer = call()
            except Unavailable as error:
                self.wait(error)
            else:
                self.waiting = False
                return answer

    def wait(self, error: Unavailable) -> None:
        """Pause once, longer each time. Raises `OutOfPatience`."""
        self.waiting = True
        step = next_wait(self._waited, self._pauses, self._limits, self._stopping())
        if not isinstance(step, Pause):
            raise OutOfPatience(error)
        if not self._pauses:
            logger.warning("%s: waiting in place, for up to %d ms", error, self._limits.patience)
        self._pause(step, error.dependency)

    def hand_back(self, send: Callable[[], None]) -> bool:
        """Whether the broker took the batch, before it was time to give the message itself back."""
        self.waiting = True
        while True:
            try:
                send()
            except Unavailable as error:
                step = next_refusal(self._waited, self._pauses, self._limits, self._stopping())
                if not isinstance(step, Pause):
                    return False
                self._pause(step, error.dependency)
            else:
                return True

    @property
    def _waited(self) -> Millis:
        return self._timer.now() - self._began

    def _pause(self, step: Pause, dependency: str) -> None:
        self._pauses += 1
        began = self._timer.now()
        until = began + step.length
        while (left := until - self._timer.now()) > 0 and not self._stopping():
            self._timer.sleep(min(left, SLICE_MS))
        DEPENDENCY_WAIT.labels(dependency).inc((self._timer.now() - began) / 1_000)
