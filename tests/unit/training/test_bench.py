"""A version is measured by what serves it, as training measured it."""

from collections.abc import Sequence
from typing import cast

import pytest

from events.errors import DeadLetter, SignalboxError
from models.artifact import load
from models.workflow import Answer, Case, Workflow
from tests.unit.tasks.fakes import OUTPUT
from training.bench import ROUNDS, confidences, latency_ms
from training.fraud import Trained


class Counting:
    """A workflow that takes a millisecond of its own time for each case."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.time = 0.0

    def infer(self, cases: Sequence[Case]) -> Sequence[Answer | SignalboxError]:
        self.sizes.append(len(cases))
        self.time += len(cases) / 1_000
        return [Answer(OUTPUT, {}) for _ in cases]


class Refusing(Counting):
    """One that answers nothing."""

    def infer(self, cases: Sequence[Case]) -> Sequence[Answer | SignalboxError]:
        return [DeadLetter("rejected", "no")] * len(cases)


CASES = cast(Sequence[Case], [object()] * 5)


def timed(cases: Sequence[Case], batch: int) -> tuple[float, list[int]]:
    workflow = Counting()
    took = latency_ms(cast(Workflow, workflow), cases, batch, lambda: workflow.time)
    return took, workflow.sizes


@pytest.mark.parametrize(
    ("cases", "batch"),
    [
        pytest.param(CASES, 2, id="the batch that is not whole says nothing of the others"),
        pytest.param(CASES, 8, id="where there are too few, they are asked again"),
    ],
)
def test_whole_batches_are_timed(cases: Sequence[Case], batch: int) -> None:
    took, sizes = timed(cases, batch)
    assert took == pytest.approx(batch)
    assert sizes == [batch] * ROUNDS


def test_without_a_case_no_time_is_known() -> None:
    took, _ = timed([], 8)
    assert took != took  # no number: the gate lets it not pass


def test_scores_come_in_the_order_of_the_cases_and_a_refusal_is_raised() -> None:
    assert confidences(cast(Workflow, Counting()), CASES, 2).tolist() == [OUTPUT.confidence] * 5
    with pytest.raises(DeadLetter):
        confidences(cast(Workflow, Refusing()), CASES, 2)


def test_what_serves_does_exactly_as_well_as_training_measured(trained: Trained) -> None:
    assert trained.bench.metrics(load(trained.path)) == trained.metadata.recipe.metrics
    assert trained.bench.latency_ms(load(trained.path), 64) > 0
