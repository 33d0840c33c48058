"""The view of a running stack: its parts, their addresses, and each lane."""

import io

import pytest
from rich.console import Console

from events.priority import Priority
from routing import load
from stack.glance import LATEST, Answers, LaneState
from stack.scoreboard import Answer, Seen
from stack.services import served_lanes
from stack.view import PartState, View, line, parts_line, picture
from tests.unit.stack.test_services import ROOT

LANES = served_lanes(load(ROOT / "config/routing_table.yaml", ROOT / "config/workflows.yaml"))
(FRAUD,) = (lane for lane in LANES if lane.topic == "ml.fraud.input.high")


def seen(latency_ms: float) -> Seen:
    return Seen("p", "e", Answer("approve"), latency_ms, "ml.fraud.input", Priority.HIGH, 100, 1)


def test_a_lane_shows_its_latest_answers_and_counts_all() -> None:
    answers = Answers()
    for _ in range(500):
        answers.add(seen(5_000))
    for number in range(LATEST):
        answers.add(seen(10 if number % 10 else 200))
    state = answers.state(FRAUD, 3)
    assert state == LaneState("ml.fraud.input.high", 3, 500 + LATEST, p95_ms=200, kept=0.9)


def test_a_lane_without_an_answer_promises_nothing() -> None:
    assert Answers().state(FRAUD, 0) == LaneState("ml.fraud.input.high", 0)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        pytest.param([PartState("beat", True), PartState("flower", True)], "2 parts run", id="all is well"),
        pytest.param(
            [PartState("beat", True), PartState("worker churn", False, 3)],
            "1 of 2 parts run; down: worker churn",
            id="a part that is down is named",
        ),
        pytest.param(
            [PartState("beat", True, 2)],
            "1 parts run; ended before: beat (2 times)",
            id="ended",
        ),
    ],
)
def test_parts_that_are_not_well_are_named(parts: list[PartState], said: str) -> None:
    assert parts_line(parts) == said


VIEW = View(
    {"models": "http://127.0.0.1:5000"},
    [PartState("dispatcher", True), PartState("worker churn", False, 1)],
    [LaneState("ml.fraud.input.high", 2, 1_234, 8.4, 0.999), LaneState("ml.churn.input.low", 0)],
    trouble="kafka: timed out",
)


def test_a_terminal_has_the_whole_picture() -> None:
    written = io.StringIO()
    Console(file=written, width=100).print(picture(VIEW))
    text = written.getvalue()
    for part in (
        "http://127.0.0.1:5000",
        "worker churn (ended 1 times)",
        "1,234",
        "8 ms",
        "99.9%",
        "timed out",
    ):
        assert part in text


def test_elsewhere_a_line_names_the_lanes_that_work() -> None:
    assert line(VIEW) == (
        "1 of 2 parts run; down: worker churn | ml.fraud.input.high: 2 waiting, 1,234 answers, p95 8 ms, "
        "99.9% kept | these figures are old: kafka: timed out"
    )
