"""Who may write into a run's journal, and what the next worker finds there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from events.errors import Unavailable
from models.support.actions import Refund
from models.support.journal import Journal, LeaseLostError, RunRow
from models.support.journal_tables import STEPS
from models.support.leases import LEASE_MS, Beat
from models.support.limits import Purse
from models.support.spending import OverspentError, take
from models.support.steps import Answered, Asked, Ended, Intended
from transport.database import Database, open_database

RUN = RunRow("pred_1", "shop", "T-1", "E-1", "ai-support-agent-v1", 1_000)
ASKED = Asked(1, "[]")
ANSWERED = Answered(call=1, response="{}", input_tokens=10, output_tokens=2)
PURSE = Purse("issue_refund", "order", "O-1", "", "EUR", 1_000)


def refund(key: str) -> Intended:
    return Intended(key, Refund(order_id="O-1", amount_minor=700, currency="EUR", reason="late"), (PURSE,))


class Time:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 1_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'journal.db'}")
    yield opened
    opened.close()


@pytest.fixture
def beat(database: Database, time: Time) -> Beat:
    return Beat(database, time)


@pytest.fixture
def journal(database: Database, time: Time, beat: Beat) -> Journal:
    made = Journal(database, time, beat)
    made.create()
    return made


def test_a_run_is_taken_up_where_it_stopped(journal: Journal) -> None:
    with journal.open(RUN) as run:
        run.append(ASKED)
        run.append(ANSWERED)
    with journal.open(RUN) as again:
        assert again.steps == (ASKED, ANSWERED)
        again.append(Ended("{}"))
    rows = journal.steps(RUN.run_id)
    assert [(row.number, row.step) for row in rows] == [(1, ASKED), (2, ANSWERED), (3, Ended("{}"))]


def test_a_run_is_found_by_its_event_with_the_version_that_began_it(journal: Journal, time: Time) -> None:
    journal.open(RUN).close()
    later = RUN._replace(model_id="ai-support-agent-v2", began_at=9_000)
    with journal.open(later) as run:
        time.now = 9_500
        run.append(Ended("{}"))
    assert journal.of_event("E-1") == [RUN._replace(ended_at=9_500)]
    assert journal.of_event("E-2") == []


def test_a_ticket_is_one_workers_at_a_time(journal: Journal) -> None:
    other = RUN._replace(run_id="pred_2", event_id="E-2")
    with journal.open(RUN), pytest.raises(Unavailable, match="T-1"):
        journal.open(other)
    with journal.open(other) as run:
        assert run.steps == ()


def test_two_tickets_are_worked_on_beside_each_other(journal: Journal) -> None:
    with journal.open(RUN) as first, journal.open(RUN._replace(run_id="pred_2", ticket_id="T-2")) as second:
        first.append(ASKED)
        second.append(ASKED)


def test_who_was_frozen_beyond_the_lease_writes_nothing_any_more(journal: Journal, time: Time) -> None:
    frozen = journal.open(RUN)
    frozen.append(ASKED)
    time.now += LEASE_MS
    with journal.open(RUN) as successor:
        with pytest.raises(LeaseLostError, match="T-1"):
            frozen.append(ANSWERED)
        successor.append(ANSWERED)
        frozen.close()
        successor.append(Ended("{}"))
    assert [row.token for row in journal.steps(RUN.run_id)] == [1, 2, 2]


@pytest.mark.parametrize(
    ("renewed", "taken_over"),
    [
        pytest.param(True, False, id="a beat in time keeps the ticket"),
        pytest.param(False, True, id="who says nothing for so long loses it"),
    ],
)
def test_a_lease_is_kept_by_its_beat(
    journal: Journal, time: Time, beat: Beat, renewed: bool, taken_over: bool
) -> None:
    held = journal.open(RUN)
    time.now += LEASE_MS - 1
    if renewed:
        beat.renew()
    time.now += 1
    if taken_over:
        journal.open(RUN).close()
    else:
        with pytest.raises(Unavailable):
            journal.open(RUN)
        held.close()


def test_a_beat_takes_nothing_back_that_was_let_go(journal: Journal, time: Time, beat: Beat) -> None:
    first = journal.open(RUN)
    first.close()
    beat.renew()
    journal.open(RUN).close()


def test_an_intent_stands_with_what_it_takes_or_not_at_all(journal: Journal) -> None:
    def spend(connection: Connection) -> None:
        take(connection, "shop", (PURSE,), 700)

    with journal.open(RUN) as run:
        run.append(refund("act_1"), within=spend)
        with pytest.raises(OverspentError):
            run.append(refund("act_2"), within=spend)
        assert run.steps == (refund("act_1"),)
    assert [row.step for row in journal.steps(RUN.run_id)] == [refund("act_1")]


def test_without_tables_the_journal_is_unavailable(database: Database, time: Time) -> None:
    with pytest.raises(Unavailable):
        Journal(database, time).open(RUN)


def test_a_run_with_a_step_that_only_newer_code_knows_is_left_to_that(
    journal: Journal, database: Database
) -> None:
    with journal.open(RUN) as run:
        run.append(ASKED)
    newer = update(STEPS).values(step='{"type":"dreamt"}')
    database.write(lambda connection: connection.execute(newer))
    for _ in range(2):  # the ticket itself is not held by whoever could not read its run
        with pytest.raises(Unavailable, match=r"cannot read its step 1: .*dreamt"):
            journal.open(RUN)
