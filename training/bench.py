"""Quality and latency of a version, measured in the workflow that serves it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle, islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from events.errors import SignalboxError
from models.artifact import Artifact
from models.workflow import Answer, Case, Workflow

ROUNDS = 20
"""Batches that are timed."""
QUANTILE = 0.95
"""Of their times; the slowest of few says more of the machine than of the model."""


class IncomparableError(SignalboxError):
    """A version answers another question than these rows do."""


class Bench(Protocol):
    """The rows on which a candidate was measured, for any version of its model."""

    def metrics(self, version: Artifact) -> Mapping[str, float]:
        """As training measures them.

        Raises `BrokenModelError` if this code cannot serve the version, and `IncomparableError`.
        """

    def latency_ms(self, version: Artifact, batch: int) -> float:
        """What a batch of this many events takes. Raises as `metrics`."""


def confidences(workflow: Workflow, cases: Sequence[Case], batch: int) -> NDArray[np.float64]:
    """What the workflow says of each case, asked as a worker asks: in batches.

    Raises what it says of a case instead of an answer, and `ValueError` if the workflow estimates nothing.
    """
    found = []
    for some in _batches(cases, batch):
        for answer in workflow.infer(some):
            if not isinstance(answer, Answer):
                raise answer
            if answer.output.confidence is None:
                raise ValueError(f"{workflow.name} answers without a confidence: it has no scores to measure")
            found.append(answer.output.confidence)
    return np.array(found, np.float64)


def latency_ms(
    workflow: Workflow,
    cases: Sequence[Case],
    batch: int,
    # of this process alone: beside other work a batch of 10 ms took 30, which says nothing of the model
    stopwatch: Callable[[], float] = time.process_time,
) -> float:
    """The 95th percentile of the time of whole batches, ms: each event waits for all of its batch."""
    filled = list(islice(cycle(cases), max(batch, len(cases)))) if cases else []
    whole = [some for some in _batches(filled, batch) if len(some) == batch]
    times = []
    for some in islice(cycle(whole), ROUNDS):
        began = stopwatch()
        workflow.infer(some)
        times.append(stopwatch() - began)
    return float(np.quantile(times, QUANTILE)) * 1_000 if times else float("nan")


def _batches(cases: Sequence[Case], size: int) -> Iterator[Sequence[Case]]:
    return (cases[first : first + size] for first in range(0, len(cases), size))
