"""`signalbox agent show` and `replay`, over a journal in SQL."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import settings
from commands.agent import app
from models.support.journal import Journal, RunRow
from models.support.run import work
from models.support.steps import Concluded
from tests.memory_platform import MemoryPlatform
from tests.unit.models.support.agents import NOON, order, ticket
from tests.unit.models.support.runs import ORDINARY, PlainRun, Script, assignment, surroundings
from transport.database import open_database

ROW = RunRow("pred_1", "acme", "t-1", "e-1", "ai-support-agent-v1", NOON)
BODY = "My mug came broken, write to jo.doe@example.com or call +44 20 7946 0958."


@pytest.fixture(autouse=True)
def url(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The journal's database."""
    address = f"sqlite:///{tmp_path / 'journal.db'}"
    monkeypatch.setenv("DATABASE_URL", address)
    settings.load_settings.cache_clear()
    yield address
    settings.load_settings.cache_clear()


def run_ticket(url: str, dies_before: type[object] | None = None, row: RunRow = ROW) -> None:
    """Resolve a ticket, or stop before a step of that kind."""
    plain = PlainRun()
    work(
        plain, assignment(of=ticket(body=BODY)), surroundings(Script(ORDINARY), MemoryPlatform.of([order()]))
    )
    steps = list(plain.steps)
    if dies_before is not None:
        steps = steps[: next(place for place, step in enumerate(steps) if isinstance(step, dies_before))]
    with closing(open_database(url)) as database:
        journal = Journal(database, lambda: NOON)
        journal.create()
        with journal.open(row) as run:
            for step in steps:
                run.append(step)


def agent(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_a_run_is_shown_step_by_step_without_what_reaches_the_customer(url: str) -> None:
    run_ticket(url)
    shown = agent("show", "e-1")
    assert shown.exit_code == 0
    for said in (
        "pred_1: ticket t-1",
        "asked",
        "search_policies",
        "intended",
        "10.00 GBP",
        "confirmed",
        "ended",
    ):
        assert said in shown.output
    assert "[e-mail]" in shown.output
    assert "jo.doe" not in shown.output
    assert "7946" not in shown.output


def test_an_id_is_a_strangers_text_too(url: str) -> None:
    run_ticket(url, row=ROW._replace(ticket_id="t-1\x1b[2J\njo.doe@example.com"))
    first = agent("show", "e-1").output.splitlines()[0]
    assert first == "pred_1: ticket t-1\ufffd[2J\ufffd[e-mail] of acme, event e-1"


def test_a_run_is_replayed_to_what_it_came_to(url: str) -> None:
    run_ticket(url)
    replayed = agent("replay", "e-1")
    assert (replayed.exit_code, "resolved, as it was then" in replayed.output) == (0, True)


def test_a_run_that_goes_on_is_replayed_to_where_it_is(url: str) -> None:
    run_ticket(url, Concluded)
    replayed = agent("replay", "e-1")
    assert (replayed.exit_code, "no conclusion yet" in replayed.output) == (0, True)


@pytest.mark.parametrize("command", ["show", "replay"])
def test_an_event_without_a_run_is_said(url: str, command: str) -> None:
    run_ticket(url)
    told = agent(command, "e-2")
    assert (told.exit_code, told.output) == (1, "no run of e-2 stands in the journal\n")
