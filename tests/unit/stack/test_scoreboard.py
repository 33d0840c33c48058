"""Rates, kept promises and model quality are counted right."""

import msgspec
import pytest

from events.priority import Priority
from stack.scoreboard import Answer, Latencies, Rate, Scoreboard, Seen, read_seen

LANE = ("ml.fraud.input", Priority.HIGH)


def seen(name: str, decision: str = "approve", latency_ms: float = 10, attempts: int = 1) -> Seen:
    return Seen(f"pred_{name}", name, Answer(decision), latency_ms, *LANE, sla_ms=100, attempts=attempts)


@pytest.mark.parametrize(
    ("latencies", "share", "expected"),
    [
        pytest.param([], 0.5, 0, id="nothing yet"),
        pytest.param([7], 0.99, 7, id="one is every percentile"),
        pytest.param(range(1, 101), 0.5, 51, id="the median"),
        pytest.param(range(100, 0, -1), 0.95, 96, id="in whatever order they came"),
        pytest.param(range(1, 101), 1, 100, id="the slowest"),
    ],
)
def test_percentiles(latencies: list[float], share: float, expected: float) -> None:
    made = Latencies()
    for latency in latencies:
        made.add(latency, 100)
    assert made.percentile(share) == expected


def test_what_comes_after_its_deadline_is_late() -> None:
    board = Scoreboard({})
    for number, latency in enumerate((99.9, 100, 100.1, 5_000)):
        board.on_prediction(seen(str(number), latency_ms=latency), 0)
    assert board.latencies[LANE].late == 2
    assert board.sla_ms[LANE] == 100


def test_the_first_decision_stands() -> None:
    board = Scoreboard({"a": True})
    board.on_prediction(seen("a", "approve"), 0)
    board.on_prediction(seen("a", "hold"), 1)
    assert board.decisions == {"approve": 1}
    assert (board.fraud.frauds, board.fraud.caught, len(board.latencies[LANE])) == (1, 0, 1)


@pytest.mark.parametrize(
    ("fraud", "decision", "expected"),
    [
        pytest.param(True, "hold", (1, 1, 0, 0), id="a fraud that is held back is caught"),
        pytest.param(True, "review", (1, 1, 0, 0), id="one that a person looks at is caught too"),
        pytest.param(True, "approve", (1, 0, 0, 0), id="one that passes is not"),
        pytest.param(False, "approve", (0, 0, 1, 0), id="an honest order passes"),
        pytest.param(False, "review", (0, 0, 1, 1), id="an honest order is disturbed"),
        pytest.param(None, "hold", (0, 0, 0, 0), id="nobody knows the truth"),
    ],
)
def test_the_quality_of_decisions(
    fraud: bool | None, decision: str, expected: tuple[int, int, int, int]
) -> None:
    board = Scoreboard({} if fraud is None else {"a": fraud})
    board.on_prediction(seen("a", decision), 0)
    made = board.fraud
    assert (made.frauds, made.caught, made.honest, made.disturbed) == expected


def test_retried_events_are_counted() -> None:
    board = Scoreboard({})
    board.on_prediction(seen("a", attempts=1), 0)
    board.on_prediction(seen("b", attempts=3), 0)
    assert board.retried == 1


def test_a_rate_is_that_of_the_last_seconds() -> None:
    rate = Rate()
    rate.add(100, now=0)
    rate.add(50, now=4)
    assert rate.per_second(5) == 30
    assert rate.per_second(8) == 10
    assert rate.per_second(60) == 0
    assert rate.total == 150


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="none"),
        pytest.param(b"null", id="not an object"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(b'{"prediction_id": "\xff"}', id="an id that is not UTF-8"),
        pytest.param(b"[" * 100_000, id="nested too deeply"),
        pytest.param(b'{"a": ' * 100_000, id="nested too deeply in a field that is not read"),
        pytest.param(msgspec.json.encode(seen("a")).replace(b"high", b"urgent"), id="an unknown priority"),
        pytest.param(msgspec.json.encode(seen("a")).replace(b":10,", b":1e999,"), id="an endless latency"),
    ],
)
def test_a_strangers_record_among_the_predictions_is_no_prediction(value: bytes | None) -> None:
    assert read_seen(value) is None


def test_a_workers_prediction_is_read_whatever_else_it_holds() -> None:
    wanted = seen("a")
    assert read_seen(msgspec.json.encode(wanted).replace(b"{", b'{"more":[1],', 1)) == wanted
