"""What an operator reads of the routing table."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from commands.routes import app
from commands.routes_report import duration
from stack.examples import envelope

RULES = ["--table", "config/routing_table.yaml", "--workflows", "config/workflows.yaml"]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


def written(folder: Path, event: dict[str, Any]) -> str:
    path = folder / "event.json"
    path.write_text(json.dumps(event))
    return str(path)


def test_a_table_that_holds_is_named_with_its_hash() -> None:
    result = run("check", *RULES)
    assert result.exit_code == 0
    hold = r"config/routing_table.yaml and config/workflows.yaml hold: \d+ routes, table [0-9a-f]+"
    assert re.search(hold, result.output)


def test_a_table_that_does_not_hold_ends_with_1_and_every_problem(tmp_path: Path) -> None:
    table = tmp_path / "t.yaml"
    table.write_text("routes:\n  order.placed:\n    workflow: nobody\n    priority: high\n    sla_ms: -5\n")
    result = run("check", "--table", str(table), "--workflows", "config/workflows.yaml")
    assert result.exit_code == 1
    assert [line.partition(": ")[0] for line in result.output.splitlines()] == [
        f"{table}:{line}" for line in (2, 3, 5)
    ]


@pytest.mark.parametrize("command", ["show", "explain"])
def test_no_command_goes_by_a_table_that_does_not_hold(command: str, tmp_path: Path) -> None:
    event = [written(tmp_path, envelope("order.placed", "evt-1"))] if command == "explain" else []
    result = run(command, *event, "--table", str(tmp_path / "none.yaml"), *RULES[2:])
    assert result.exit_code == 1
    assert "none.yaml: cannot be read" in result.output


def test_the_table_is_shown_with_its_queues() -> None:
    result = run("show", *RULES)
    assert result.exit_code == 0
    for expected in ("order.placed[0]", "fraud-classifier", "100 ms", "30 min", "ml.agent.input"):
        assert expected in result.output
    assert "not yet" not in result.output


@pytest.fixture
def unserved(tmp_path: Path) -> list[str]:
    """The options for rules in which the support agent has no worker."""
    workflows = tmp_path / "workflows.yaml"
    text = Path("config/workflows.yaml").read_text()
    task = "    task: tasks.support.resolve\n"
    assert task in text
    workflows.write_text(text.replace(task, f"{task}    served: false\n"))
    return [*RULES[:3], str(workflows)]


def test_a_workflow_without_a_worker_is_shown_as_one(unserved: list[str], tmp_path: Path) -> None:
    assert "not yet" in run("show", *unserved).output
    told = run("explain", written(tmp_path, envelope("support.ticket.escalated", "evt-1")), *unserved)
    assert told.exit_code == 0
    assert "(no worker yet)" in told.output


@pytest.mark.parametrize(
    ("event", "exit_code", "said"),
    [
        pytest.param(
            envelope("order.placed", "evt-1"),
            0,
            [
                "routed: to 1 workflow(s)",
                "rule order.placed[0] (config/routing_table.yaml:",
                "workflow fraud-classifier, task tasks.fraud.score",
                "waits in ml.fraud.input.high for the queue ml.fraud.input, priority high",
                "promised within 100 ms",
                "arm champion",
            ],
            id="an order wakes the fraud classifier",
        ),
        pytest.param(
            envelope("support.ticket.escalated", "evt-1"),
            0,
            ["workflow ai-support-agent, task tasks.support.resolve", "90 s"],
            id="a ticket wakes the support agent",
        ),
        pytest.param(
            envelope("page.viewed", "evt-1"),
            0,
            ["ignored", "page.viewed is declared, and config/routing_table.yaml has no route for it"],
            id="a known type without a route",
        ),
        pytest.param(
            {**envelope("order.placed", "evt-1"), "event_type": "order.plcaed"},
            0,
            [
                "unrouted: to retail.events.unrouted",
                "nobody declared the type order.plcaed; nearest: order.placed",
            ],
            id="a type that nobody declared",
        ),
        pytest.param(
            {**envelope("order.placed", "evt-1"), "version": "3.0.0"},
            1,
            ["dead letter: to retail.events.dlq, cause unknown_version", "major version 3 is not declared"],
            id="a version that nobody declared",
        ),
    ],
)
def test_where_an_event_would_go_and_why(
    tmp_path: Path, event: dict[str, Any], exit_code: int, said: list[str]
) -> None:
    result = run("explain", written(tmp_path, event), *RULES)
    assert result.exit_code == exit_code
    for each in said:
        assert each in result.output


def test_an_event_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = run("explain", str(tmp_path / "none.json"), *RULES)
    assert result.exit_code == 1
    assert "none.json: cannot be read: No such file" in result.output


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (1, "1 ms"),
        (100, "100 ms"),
        (1_500, "1500 ms"),
        (90_000, "90 s"),
        (300_000, "5 min"),
        (43_200_000, "12 h"),
    ],
)
def test_a_promise_is_shown_in_its_largest_whole_unit(milliseconds: int, shown: str) -> None:
    assert duration(milliseconds) == shown
