"""A model is trained by one process at a time, through freezes and deaths of others."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from models.retraining import Known
from models.runs import LEASE_MS, DatasetUpdate, Held, LeaseLostError, Outcome, Run, Runs
from transport.database import open_database

MODEL, TENANT = "fraud-classifier", "acme"
NOW = 1_800_000_000_000


@dataclass
class Moment:
    """A clock that a test turns."""

    now: int = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Moment:
    return Moment()


@pytest.fixture
def runs(offline_url: str, clock: Moment) -> Iterator[Runs]:
    database = open_database(offline_url)
    made = Runs(database, clock)
    made.create()
    yield made
    database.close()


def told(version: str, rows: int = 600, event_id: str = "e-1", model: str = MODEL) -> DatasetUpdate:
    return DatasetUpdate(TENANT, model, version, rows, NOW, event_id)


def begun(runs: Runs, holder: str = "one") -> Run:
    run = runs.begin(MODEL, TENANT, holder)
    assert isinstance(run, Run)
    return run


def test_a_dataset_version_counts_once_whoever_tells_of_it(runs: Runs) -> None:
    assert runs.enter([told("v1")]) == [True]
    again = [
        told("v1"),
        told("v1", rows=9_999, event_id="e-2"),
        told("v2", rows=500),
        told("v2", event_id="e-2"),
    ]
    assert runs.enter(again) == [True, False, True, False]
    assert runs.enter([told("v1", model="churn-predictor")]) == [True]
    assert runs.known(MODEL, TENANT) == Known(pending=1_100, newest=NOW)


def test_a_run_covers_what_came_and_what_comes_later_waits_for_the_next(runs: Runs, clock: Moment) -> None:
    runs.enter([told("v1")])
    clock.now += 1
    runs.enter([told("v2")])
    run = begun(runs)
    assert run.covers == ("v1", "v2")
    runs.enter([told("v3", rows=40)])
    assert runs.known(MODEL, TENANT).pending == 40
    runs.end(run, "registered", "version 1")
    assert runs.known(MODEL, TENANT).pending == 40
    assert begun(runs).covers == ("v3",)


def test_while_one_trains_nobody_else_begins(runs: Runs, clock: Moment) -> None:
    run = begun(runs)
    clock.now += LEASE_MS - 1
    assert runs.begin(MODEL, TENANT, "two") == Held("one", NOW + LEASE_MS)
    runs.renew(run)
    clock.now += LEASE_MS - 1
    assert isinstance(runs.begin(MODEL, TENANT, "two"), Held)
    runs.end(run, "refused", "no better")
    assert isinstance(runs.begin(MODEL, TENANT, "two"), Run)


def test_another_model_is_trained_at_the_same_time(runs: Runs) -> None:
    begun(runs)
    assert isinstance(runs.begin("churn-predictor", TENANT, "two"), Run)


def test_of_many_that_begin_at_once_one_does(runs: Runs) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: runs.begin(MODEL, TENANT, f"h{number}"), range(8)))
    assert sum(isinstance(each, Run) for each in found) == 1


def test_who_was_frozen_learns_that_another_one_began(runs: Runs, clock: Moment) -> None:
    runs.enter([told("v1")])
    frozen = begun(runs, "frozen")
    clock.now += LEASE_MS
    after = begun(runs, "after")
    assert after.token > frozen.token
    assert after.covers == ("v1",)
    with pytest.raises(LeaseLostError, match=r"lease lost: not renewed for 60 s, another training took over"):
        runs.renew(frozen)
    with pytest.raises(LeaseLostError):
        runs.end(frozen, "registered", "version 2")
    runs.end(after, "registered", "version 2")
    assert runs.known(MODEL, TENANT) == Known()


def test_who_was_frozen_goes_on_where_nobody_else_began(runs: Runs, clock: Moment) -> None:
    run = begun(runs)
    clock.now += 10 * LEASE_MS
    runs.renew(run)
    runs.end(run, "registered", "version 1")


@pytest.mark.parametrize(
    ("ended", "failures"),
    [
        pytest.param("failed", 1, id="it failed"),
        pytest.param("stopped", 0, id="it was stopped"),
        pytest.param(None, 0, id="it was killed"),
    ],
)
def test_what_an_unended_run_covered_is_pending_again(
    runs: Runs, clock: Moment, ended: Outcome | None, failures: int
) -> None:
    runs.enter([told("v1")])
    run = begun(runs)
    clock.now += LEASE_MS
    if ended:
        runs.end(run, ended, "the database was away")
    known = runs.known(MODEL, TENANT)
    assert (known.pending, known.failures) == (600, failures)
    assert begun(runs).covers == ("v1",)


def test_failures_count_until_more_comes(runs: Runs, clock: Moment) -> None:
    runs.enter([told("v1")])
    for _ in range(2):
        clock.now += 1
        runs.end(begun(runs), "failed", "out of memory")
    assert runs.known(MODEL, TENANT).failures == 2
    assert runs.known(MODEL, TENANT).failed_at == clock.now
    clock.now += 1
    runs.enter([told("v2")])
    assert runs.known(MODEL, TENANT).failures == 0


def test_a_run_on_other_data_covers_nothing_that_waits(runs: Runs) -> None:
    runs.enter([told("v1")])
    run = runs.begin(MODEL, TENANT, "by hand", covering=False)
    assert isinstance(run, Run)
    assert run.covers == ()
    runs.end(run, "registered", "version 1")
    assert runs.known(MODEL, TENANT).pending == 600


def test_a_training_that_failed_before_it_took_its_lease_counts_as_one_that_failed(
    runs: Runs, clock: Moment
) -> None:
    runs.enter([told("v1")])
    clock.now += 5
    runs.fail(MODEL, NOW, "exit code 2")
    assert runs.known(MODEL, TENANT) == Known(pending=600, newest=NOW, failures=1, failed_at=clock.now)
    assert begun(runs).covers == ("v1",)


def test_a_failure_that_is_written_down_is_not_counted_twice(runs: Runs) -> None:
    runs.enter([told("v1")])
    runs.end(begun(runs), "failed", "out of memory")
    runs.fail(MODEL, NOW, "exit code 2")
    assert runs.known(MODEL, TENANT).failures == 1


def test_who_fails_beside_a_run_that_goes_on_disturbs_it_not(runs: Runs) -> None:
    run = begun(runs)
    runs.fail(MODEL, NOW, "exit code -9")
    runs.renew(run)
    runs.end(run, "registered", "version 1")
