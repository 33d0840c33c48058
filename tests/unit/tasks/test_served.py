"""A worker's task serves the version that is wanted, from one batch to the next, and says which."""

import logging
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from fakeredis import FakeServer, FakeStrictRedis
from redis import Redis

from events.errors import Unavailable
from models.artifact import Artifact
from models.reports import Reports
from models.serving import Served
from models.source import ModelPlace
from models.workflow import Workflow
from tasks.equipment import Equipment
from tasks.model_watch import LOOKS_AFTER_BUG, ModelWatch
from tasks.served import ServedTask, Telling
from tasks.suspects import Suspects
from tests.unit.models.versions import MODEL, files_of, version_of, write
from tests.unit.tasks.bench import Bench
from tests.unit.tasks.fakes import Kafka, Scripted, Store, batch_of
from transport.retrying import RetryTally

SERVED = Served(version_of("1", "yes"), 1_000)


class OnDemand(ModelWatch):
    """A watch that looks where the test says so."""

    def start(self) -> None:
        """No thread."""

    def once(self) -> None:
        """One second of a watch's life."""
        self._tell(self._serving.look())


class Oracle(ServedTask):
    """A workflow that is called what its version's file says."""

    name = "tests.oracle.ask"
    model = MODEL
    watch = OnDemand

    def load(self, artifact: Artifact) -> Workflow:
        """At once."""
        return Scripted(name=artifact.read_text("answer.txt"))


@pytest.fixture
def equipment(tmp_path: Path) -> Equipment:
    redis = FakeStrictRedis(server=FakeServer())
    return Equipment(
        Store(),
        Kafka(),  # type: ignore[arg-type]  # it has the one method that is used
        RetryTally(redis),
        Suspects(redis),
        Reports(redis),
        ModelPlace(None, tmp_path).source,
    )


def test_what_a_process_begins_with_is_said_before_it_takes_work(
    equipment: Equipment, tmp_path: Path
) -> None:
    write(tmp_path / MODEL / "1", files_of("yes"))
    task = Oracle()
    assert task.start(equipment) is task.current()
    assert task.current().name == "yes"
    (report,) = equipment.reports.read(MODEL)
    assert (report.version, report.digest, report.trouble) == (*version_of("1", "yes"), "")


def test_a_new_version_answers_the_next_batch_and_is_said(equipment: Equipment, tmp_path: Path) -> None:
    write(tmp_path / MODEL / "1", files_of("yes"))
    task = Oracle()
    task.start(equipment)
    assert task.serving is not None
    write(tmp_path / MODEL / "2", files_of("no"))
    watch = OnDemand(MODEL, task.serving, Telling(MODEL, equipment.reports).tell)
    watch.once()
    assert task.current().name == "no"
    (report,) = equipment.reports.read(MODEL)
    assert report.digest == version_of("2", "no").digest


def test_a_batch_that_waits_keeps_the_version_that_it_began_with() -> None:
    bench = Bench(kafka=Kafka(down=1))
    began_with, other = bench.workflow, Scripted()

    def the_alias_moves() -> None:
        bench.task.scripted = other

    bench.store.down = 1
    bench.timer.on_sleep = the_alias_moves
    assert bench.run(batch_of("a", "b")) == "2 predictions"
    assert (began_with.seen[-1], other.seen) == (["a", "b"], [])
    bench.run(batch_of("c"))
    assert other.seen == [["c"]]


def test_where_nobody_hears_it_a_process_goes_on_and_complains_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    telling = Telling(MODEL, Reports(Redis.from_url("redis://127.0.0.1:9/0", socket_connect_timeout=0.2)))
    with caplog.at_level(logging.WARNING):
        telling.tell(SERVED)
        telling.tell(replace(SERVED, trouble="the registry is down"))
    assert caplog.text.count("nobody hears which version is served") == 1


class Buggy:
    """A serving whose first looks raise."""

    served = SERVED

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    def look(self) -> Served:
        """As often as it has errors, one of them."""
        if self.errors:
            raise self.errors.pop()
        return SERVED


class Seconds(threading.Event):
    """So many pass, at once."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    def wait(self, _timeout: float | None = None) -> bool:
        """One of them."""
        self.left -= 1
        return self.left < 0


def test_a_bug_in_a_new_version_does_not_end_the_watch_and_is_told_each_second(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[Served] = []
    buggy = Buggy(ZeroDivisionError("a bug"), Unavailable("x"))
    # a look, its silence, a look, its silence, a look
    ModelWatch(MODEL, buggy, told.append, Seconds(2 * (1 + LOOKS_AFTER_BUG) + 1)).run()
    assert caplog.text.count("an error that no model may raise") == 2
    assert [each.version for each in told] == [SERVED.version] * (2 * LOOKS_AFTER_BUG + 1)
    assert "ZeroDivisionError('a bug')" in told[LOOKS_AFTER_BUG].trouble
    assert told[-1].trouble == ""
