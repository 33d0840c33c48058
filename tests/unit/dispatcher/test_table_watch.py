"""The routing table in force, whatever an operator writes."""

import os
from pathlib import Path

import pytest

from dispatcher.table_watch import TableWatch
from events.errors import ConfigError, Unavailable
from routing import Rules

WORKFLOWS = """
workflows:
  fraud-classifier:
    task: tasks.fraud.score
    queues:
      ml.fraud.input:
        {pool: prefork, concurrency: 2, soft_time_limit_s: 2, time_limit_s: 3, visibility_timeout_s: 10}
"""
ROUTE = "{workflow: fraud-classifier, priority: %s, sla_ms: 100, queue: ml.fraud.input}"


class Files:
    """A table and a catalogue, each write at a later time."""

    def __init__(self, folder: Path) -> None:
        self.table, self.workflows = folder / "routing_table.yaml", folder / "workflows.yaml"
        self._at = 1_000_000_000
        self.write(self.workflows, WORKFLOWS)
        self.route("high")

    def write(self, path: Path, text: str) -> None:
        path.write_text(text)
        self._at += 1_000_000_000
        os.utime(path, ns=(self._at, self._at))

    def route(self, priority: str) -> None:
        self.write(self.table, "routes: {order.placed: " + ROUTE % priority + "}")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def priority(watch: TableWatch) -> str:
    (route,) = watch.table.all_routes
    return route.priority.value


def test_a_good_table_is_taken_once(files: Files) -> None:
    watch = TableWatch(files.table, files.workflows)
    assert not watch.check()
    files.route("low")
    assert watch.check()
    assert priority(watch) == "low"
    assert not watch.check()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("routes: [", id="no YAML"),
        pytest.param("", id="empty, as while an editor writes it"),
        pytest.param("routes: {order.placed: " + ROUTE % "urgent" + "}", id="an unknown priority"),
    ],
)
def test_the_last_good_table_stays_and_the_reason_is_said_once(
    files: Files, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    watch = TableWatch(files.table, files.workflows)
    files.write(files.table, text)
    assert not watch.check()
    assert not watch.check()
    assert priority(watch) == "high"
    (refusal,) = caplog.records
    assert str(files.table) in refusal.getMessage()


def test_a_table_that_is_gone_is_no_new_table(files: Files) -> None:
    watch = TableWatch(files.table, files.workflows)
    files.table.unlink()
    assert not watch.check()
    files.route("low")
    assert watch.check()
    assert priority(watch) == "low"


def test_the_catalogue_is_watched_too(files: Files) -> None:
    watch = TableWatch(files.table, files.workflows)
    files.write(files.workflows, WORKFLOWS.replace("concurrency: 2", "concurrency: 3"))
    assert watch.check()
    assert watch.rules.catalogue.queues["ml.fraud.input"].concurrency == 3


def test_a_table_whose_topics_cannot_be_made_now_is_taken_later(files: Files) -> None:
    down = [False]
    prepared: list[Rules] = []

    def prepare(rules: Rules) -> None:
        if down[0]:
            raise Unavailable("kafka")
        prepared.append(rules)

    watch = TableWatch(files.table, files.workflows, prepare)
    down[0] = True
    files.route("low")
    assert not watch.check()
    assert priority(watch) == "high"
    down[0] = False
    assert watch.check()
    assert prepared[-1] is watch.rules


def test_nothing_starts_with_a_bad_table(files: Files) -> None:
    files.write(files.table, "routes: {order.placed: {}}")
    with pytest.raises(ConfigError, match=r"routing_table\.yaml:1"):
        TableWatch(files.table, files.workflows)
