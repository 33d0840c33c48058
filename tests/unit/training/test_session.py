"""A training holds its lease for as long as it lives, and no longer."""

import threading
from pathlib import Path

import pytest

from events.errors import Unavailable
from models.runs import LEASE_MS, Held, LeaseLostError, Run, Runs
from training.session import Session
from transport.database import open_database

MODEL, TENANT = "fraud-classifier", "acme"


class Moment:
    """A clock that a test turns."""

    now = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now


class Counted(Runs):
    """Says when a lease was renewed so many times."""

    renewed = 0
    away = 0

    def __init__(self, path: Path, clock: Moment) -> None:
        super().__init__(open_database(f"sqlite:///{path}"), clock)
        self.create()
        self.often = threading.Event()

    def renew(self, run: Run) -> None:
        if self.away:
            self.away -= 1
            raise Unavailable("training ledger")
        super().renew(run)
        self.renewed += 1
        if self.renewed >= 3:
            self.often.set()


@pytest.fixture
def clock() -> Moment:
    return Moment()


@pytest.fixture
def runs(tmp_path: Path, clock: Moment) -> Counted:
    return Counted(tmp_path / "runs.db", clock)


def begun(runs: Runs) -> Run:
    run = runs.begin(MODEL, TENANT, "one")
    assert isinstance(run, Run)
    return run


def test_while_it_lives_the_lease_is_renewed(runs: Counted, clock: Moment) -> None:
    with Session(runs, begun(runs), renew_s=0.001) as session:
        assert runs.often.wait(30)
        assert isinstance(runs.begin(MODEL, TENANT, "two"), Held)
        session.end("registered", "version 1")
        # nothing renews it any more: it is free at once
        assert isinstance(runs.begin(MODEL, TENANT, "two"), Run)


def test_an_outage_at_the_end_does_not_cost_the_training(runs: Counted) -> None:
    with Session(runs, begun(runs), renew_s=0.001) as session:
        runs.away = 3
        session.confirm()
        session.end("registered", "version 1")
    assert runs.away == 0
    assert isinstance(runs.begin(MODEL, TENANT, "two"), Run)


def test_what_raises_inside_is_written_down_and_frees_the_lease(runs: Counted) -> None:
    with pytest.raises(ZeroDivisionError), Session(runs, begun(runs)):
        raise ZeroDivisionError("by zero")
    assert runs.known(MODEL, TENANT).failures == 1
    assert isinstance(runs.begin(MODEL, TENANT, "two"), Run)


def test_who_is_stopped_has_not_failed(runs: Counted) -> None:
    with pytest.raises(KeyboardInterrupt), Session(runs, begun(runs)):
        raise KeyboardInterrupt
    assert runs.known(MODEL, TENANT).failures == 0
    assert isinstance(runs.begin(MODEL, TENANT, "two"), Run)


def test_who_lost_it_is_told_and_does_not_end_the_run_of_another(runs: Counted, clock: Moment) -> None:
    first = begun(runs)
    clock.now += LEASE_MS
    other = begun(runs)
    with pytest.raises(LeaseLostError), Session(runs, first) as session:
        session.confirm()
    runs.end(other, "registered", "version 2")
