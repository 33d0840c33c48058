"""The screen of a demonstration, while it runs and at its end."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from monitoring.balance import Balance
from stack.scoreboard import Caught, Latencies
from stack.screen import Frame, LaneRow, caught, lane_table, live, plain, span, summary


def lane(*latencies: float) -> LaneRow:
    made = Latencies()
    for latency in latencies:
        made.add(latency, 100)
    return LaneRow("ml.fraud.input.high", 17, made, 100)


FRAME = Frame(
    elapsed_s=65,
    sent=1_200,
    total=30_000,
    sent_rate=400,
    prediction_rate=210,
    predictions=700,
    open=3,
    lanes=(lane(10, 20, 30, 400),),
    fraud=Caught(frauds=10, caught=7, honest=1_000, disturbed=4),
    decisions={"hold": 9, "approve": 691},
    dead_letters={"invalid_payload": 2},
    ignored=480,
    unrouted=4,
)
BALANCE = Balance(
    read=1_200,
    routed_records=714,
    ignored=480,
    unrouted=4,
    refused={"invalid_payload": 2},
    routed=703,
    predictions=700,
    dead_letters={"retries_exhausted": 3},
    waiting={},
    repeated=11,
    missing=(),
    unexpected=(),
)


def printed(*parts: object) -> str:
    written = io.StringIO()
    Console(file=written, width=120).print(*parts)
    return written.getvalue()


def test_the_live_picture_has_rates_lanes_latencies_fraud_and_dead_letters() -> None:
    picture = printed(live(FRAME))
    for expected in (
        "1:05  sent 1,200 of 30,000 (400/s)",
        "predictions 700 (210/s)",
        "no outcome yet 3",
        "fraud: 7 of 10 labelled held back (70.0%), and 0.4% of the honest",
        "decisions: approve 691, hold 9",
        "dead letters: invalid_payload 2",
        "ignored 480; unrouted 4",
    ):
        assert expected in picture
    row = next(line for line in picture.splitlines() if line.startswith("ml.fraud.input.high"))
    assert " ".join(row.split()) == "ml.fraud.input.high 17 4 30 ms 400 ms 400 ms 100 ms 75.0%"


def test_in_a_log_no_figure_is_cut() -> None:
    slow = Latencies()
    for latency in (8_402, 69_298, 3_600_000):
        slow.add(latency, 1_800_000)
    rows = (lane(10), replace(lane(), topic="ml.forecast.input.standard", latencies=slow, sla_ms=1_800_000))
    written = io.StringIO()
    Console(file=written, width=80).print(lane_table(rows))
    assert "…" not in written.getvalue()


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1_136, "1.1 s"),
        (8_402, "8.4 s"),
        (69_298, "69 s"),
        (90_000, "90 s"),
        (300_000, "5 min"),
        (3_600_000, "60 min"),
    ],
)
def test_how_long_it_took_is_told_in_its_own_unit(milliseconds: float, expected: str) -> None:
    assert span(milliseconds) == expected


def test_without_a_terminal_it_is_one_line() -> None:
    line = plain(FRAME)
    assert "\n" not in line
    assert "ml.fraud.input.high: 17 waiting, 4 answers, 30 ms/400 ms/400 ms, 75.0% within 100 ms" in line


def test_a_lane_without_answers_has_not_broken_its_promise() -> None:
    assert lane().figures() == ("0", "0 ms", "0 ms", "0 ms", "100 ms", "100.0%")


@pytest.mark.parametrize(
    ("fraud", "expected"),
    [
        pytest.param(Caught(), "fraud: nothing labelled yet", id="no truth is known yet"),
        pytest.param(
            Caught(honest=5),
            "fraud: 0 of 0 labelled held back (none), and 0.0% of the honest",
            id="no frauds",
        ),
    ],
)
def test_where_there_is_nothing_to_divide_by(fraud: Caught, expected: str) -> None:
    assert caught(fraud) == expected


def test_the_end_is_told_with_both_equations() -> None:
    text = "".join(printed(part) for part in summary(BALANCE, FRAME.lanes, FRAME))
    assert "routed 703 = predictions 700 + dead letters 3\n" in text
    assert "read 1,200 = routed 714 + ignored 480 + unrouted 4 + refused 2\n" in text
    assert "dead letters: invalid_payload 2, retries_exhausted 3\n" in text
    assert "outcomes written more than once: 11\n" in text


def test_of_a_long_list_the_beginning_is_shown() -> None:
    broken = replace(BALANCE, missing=tuple(f"pred_{number}: no outcome" for number in range(100)))
    text = "".join(printed(part) for part in summary(broken, FRAME.lanes, FRAME))
    assert text.count("no outcome\n") == 20
    assert text.endswith("and 80 more\n")


def test_what_does_not_add_up_is_listed_at_the_end() -> None:
    broken = replace(
        BALANCE,
        predictions=699,
        without_outcome=1,
        missing=("pred_1: no outcome",),
        unexpected=("pred_2: why?",),
    )
    text = "".join(printed(part) for part in summary(broken, FRAME.lanes, FRAME))
    assert "+ WITHOUT AN OUTCOME 1\n" in text
    assert text.endswith("pred_1: no outcome\npred_2: why?\n")
