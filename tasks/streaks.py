"""Tells an event that meets a bug from an outage that looks like one: a circuit breaker on like failures.

An error that no workflow may raise is an event's own only while others succeed. If events in a row fail in
the same way, their workflow is taken for unavailable: they wait, one of them tries, and none is given up.
It is not `core.circuit_breaker`: it counts which failures are alike, and knows no time. Knows no Celery.
"""

import logging
from collections.abc import Iterator
from pathlib import PurePath
from traceback import walk_tb
from typing import Protocol

import msgspec

from events.errors import SignalboxError, Unavailable
from events.lane import Batch
from tasks.outcomes import Outcomes
from tasks.policy import UnexpectedError

OUTAGE_AFTER = 5
"""So many events in a row, failing in one way, are an outage."""

logger = logging.getLogger(__name__)


class Engine(Protocol):
    """See `tasks.lifecycle.Lifecycle`."""

    def decide(self, batch: Batch, queue: str, retries: int) -> Outcomes:
        """Every event's outcome."""

    def failed(self, batch: Batch, queue: str, retries: int, error: SignalboxError) -> Outcomes:
        """The outcomes of a batch each event of which met `error`."""


def fingerprint(error: BaseException) -> str:
    """What like failures share: `ZeroDivisionError at fraud.py:120`, the line that raised it."""
    return f"{type(error).__name__} at {next(reversed(list(_lines(error))), 'an unknown line')}"


def _lines(error: BaseException) -> Iterator[str]:
    for frame, line in walk_tb(error.__traceback__):
        yield f"{PurePath(frame.f_code.co_filename).name}:{line}"


class Streak:
    """The like failures of one process since its last success. Pure."""

    def __init__(self, outage_after: int = OUTAGE_AFTER) -> None:
        self._outage_after = outage_after
        self._fingerprint = ""
        self._events: set[object] = set()

    def failed(self, fingerprint: str, event: object) -> None:
        """An event failed in this way. The same event counts once."""
        if fingerprint != self._fingerprint:
            self._fingerprint, self._events = fingerprint, set()
        if not self.outage:
            self._events.add(event)

    def succeeded(self) -> None:
        """An event came through: what fails from now on fails for reasons of its own."""
        self._fingerprint, self._events = "", set()

    @property
    def outage(self) -> bool:
        """Whether failures are no property of events."""
        return len(self._events) >= self._outage_after


class Guarded:
    """An engine whose unexpected errors are judged. `passing` errors are the caller's, a time limit's say."""

    def __init__(
        self, engine: Engine, streak: Streak, workflow: str, passing: tuple[type[Exception], ...] = ()
    ) -> None:
        self._engine = engine
        self._streak = streak
        self._workflow = workflow
        self._passing: tuple[type[Exception], ...] = (SignalboxError, *passing)

    def decide(self, batch: Batch, queue: str, retries: int) -> Outcomes:
        """Every event's outcome.

        Raises `Unavailable` in an outage, `UnexpectedError` for an event that is alone, and for a batch
        whatever its workflow raised: it is to be cut up.
        """
        if self._streak.outage and len(batch) > 1:
            # one event tries, for all
            probe = msgspec.structs.replace(batch, records=batch.records[:1])
            self._judged(probe, queue, retries)
        return self._judged(batch, queue, retries)

    def failed(self, batch: Batch, queue: str, retries: int, error: SignalboxError) -> Outcomes:
        """See `Engine`."""
        return self._engine.failed(batch, queue, retries, error)

    def _judged(self, batch: Batch, queue: str, retries: int) -> Outcomes:
        try:
            outcomes = self._engine.decide(batch, queue, retries)
        except self._passing:
            raise
        except Exception as error:
            # the outermost of a workflow: a bug is to cost the one event that meets it, not its batch
            found, known = fingerprint(error), self._streak.outage
            self._streak.failed(found, batch.records[0].lane)
            if self._streak.outage:
                if not known:
                    logger.exception("%s: events in a row fail in one way: an outage", self._workflow)
                raise Unavailable(f"workflow {self._workflow}", f"{found}: {error}") from error
            logger.exception("%s: an error that no workflow may raise", self._workflow)
            if len(batch) == 1:
                raise UnexpectedError(f"{found}: {error}") from error
            raise
        self._streak.succeeded()
        return outcomes
