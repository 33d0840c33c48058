"""A Celery app becomes a worker of its queues."""

import logging
import sys
from pathlib import Path
from typing import Any

import pytest
from billiard.exceptions import WorkerLostError
from celery import Celery

from events.errors import ConfigError
from models.workflow import Workflow
from routing.catalogue import QueueSpec
from tasks.command import worker_command
from tasks.configuration import settings
from tasks.equipment import Addresses, Equipment
from tasks.inference import InferenceTask
from tasks.worker import Worker, import_modules, in_one_line, names_in, select
from tests.unit.tasks.test_policy import spec

FRAUD = spec()
INPUT = spec(
    name="ml.forecast.input",
    task="tasks.forecast.forecast",
    soft_time_limit_s=120,
    time_limit_s=150,
    visibility_timeout_s=180,
    concurrency=1,
)
NIGHT = spec(
    name="ml.forecast.batch",
    task="tasks.forecast.forecast",
    soft_time_limit_s=900,
    time_limit_s=960,
    visibility_timeout_s=1_200,
    concurrency=3,
    nice=10,
)
QUEUES = (FRAUD, INPUT, NIGHT)


def app_of(queues: tuple[QueueSpec, ...] = QUEUES, base: type[InferenceTask] = InferenceTask) -> Any:
    """An app with a task of each workflow."""
    app = Celery("bench", set_as_current=False)
    app.conf.update(settings("redis://127.0.0.1/1", queues, {}))
    for name in sorted({queue.task for queue in queues}):
        app.register_task(type("Any", (base,), {"name": name})())
    return app


def started(app: Celery, queues: Any) -> Worker:
    """A worker with this `-Q`, up to where it would connect."""
    addresses = Addresses("127.0.0.1:9092", "redis://127.0.0.1/0", "sqlite://")
    worker = Worker(app, "redis://127.0.0.1/1", QUEUES, lambda: addresses)
    worker.narrow(options={"queues": queues})
    return worker


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(["ml.fraud.input"], (FRAUD,), id="one"),
        pytest.param(["ml.forecast.batch", "ml.fraud.input"], (NIGHT, FRAUD), id="two"),
        pytest.param([], QUEUES, id="none named: all"),
        pytest.param(None, QUEUES, id="no -Q: all"),
    ],
)
def test_a_worker_serves_the_queues_that_it_was_told(names: Any, expected: tuple[QueueSpec, ...]) -> None:
    assert select(QUEUES, names) == expected


def test_a_misspelt_queue_is_refused_with_its_nearest() -> None:
    with pytest.raises(ConfigError, match=r"ml\.fraud\.inptu.*nearest: ml\.fraud\.input"):
        select(QUEUES, ["ml.fraud.inptu"])


def test_a_worker_does_not_start_on_a_queue_that_is_not_there() -> None:
    with pytest.raises(SystemExit, match="nearest"):
        started(app_of(), ["ml.fraud.inptu"])


@pytest.mark.parametrize(
    ("queues", "excluded", "expected"),
    [
        pytest.param((), (), QUEUES, id="as typed without -Q"),
        pytest.param(None, None, QUEUES, id="Celery's API"),
        pytest.param("", "", QUEUES, id="empty texts"),
        pytest.param((), ["ml.fraud.input"], (INPUT, NIGHT), id="-X"),
        pytest.param("ml.fraud.input,ml.forecast.input", "ml.fraud.input", (INPUT,), id="both"),
    ],
)
def test_a_worker_serves_all_queues_but_the_excluded(
    queues: Any, excluded: Any, expected: tuple[QueueSpec, ...]
) -> None:
    assert select(QUEUES, names_in(queues), names_in(excluded)) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"queues": "ml.fraud.input, ml.forecast.input"}, "without spaces: ml", id="spaces"),
        pytest.param({"exclude_queues": "ml.fraud.inptu"}, "-X.*nearest: ml.fraud.input", id="-X misspelt"),
        pytest.param(
            {"queues": "ml.fraud.input", "exclude_queues": "ml.fraud.input"},
            "no queue is left",
            id="none left",
        ),
        pytest.param({"pool_cls": "gevent"}, "-P: take prefork, threads or solo", id="gevent"),
        pytest.param({"pool_cls": "celery.concurrency.eventlet:TaskPool"}, "-P: take", id="eventlet"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(options: dict[str, Any], message: str) -> None:
    addresses = Addresses("127.0.0.1:9092", "redis://127.0.0.1/0", "sqlite://")
    worker = Worker(app_of(), "redis://127.0.0.1/1", QUEUES, lambda: addresses)
    with pytest.raises(SystemExit, match=message) as ended:
        worker.narrow(options=options)
    assert len(str(ended.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("def broken(", r"broken\.py:1: .*SyntaxError", id="no Python"),
        pytest.param("import no_such_library", "No module named 'no_such_library'", id="a library lacks"),
        pytest.param("1 / 0", "ZeroDivisionError at broken.py:1", id="it fails"),
    ],
)
def test_a_module_that_cannot_be_imported_is_named_with_the_line(
    content: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.py").write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken", raising=False)
    with pytest.raises(ConfigError, match=message) as refused:
        import_modules(app_of(), ["broken"])
    assert len(str(refused.value).splitlines()) == 1


def test_a_pool_that_did_not_start_says_so_in_one_line() -> None:
    error = WorkerLostError("Could not start worker processes")
    record = logging.LogRecord(
        "x", logging.CRITICAL, "f", 1, "Unrecoverable error: %r", (error,), (type(error), error, None)
    )
    assert in_one_line(record)
    assert (record.exc_info, "did not start" in record.getMessage()) == (None, True)


@pytest.mark.parametrize("queues", [["ml.forecast.input"], "ml.forecast.input"])
def test_its_queue_decides_on_limits_size_and_redis_keys_as_typed(queues: Any) -> None:
    app = app_of()

    started(app, queues)

    task = app.tasks["tasks.forecast.forecast"]
    assert (task.soft_time_limit, task.time_limit) == (120, 150)
    assert app.conf.worker_concurrency == 1
    assert app.conf.broker_transport_options["visibility_timeout"] == 180
    assert app.conf.broker_transport_options["unacked_key"] == "unacked:ml.forecast.input"


def test_a_task_of_other_queues_is_not_run_here() -> None:
    app = app_of()

    started(app, ["ml.fraud.input"])

    assert app.tasks["tasks.fraud.score"].served
    assert not app.tasks["tasks.forecast.forecast"].served


def test_a_worker_of_several_queues_has_the_longest_limits() -> None:
    app = app_of()

    started(app, ["ml.forecast.input", "ml.forecast.batch"])

    assert app.tasks["tasks.forecast.forecast"].time_limit == 960
    assert app.conf.broker_transport_options["visibility_timeout"] == 1_200


class Bare(InferenceTask):
    """What it needs is not installed."""

    def start(self, equipment: Equipment) -> Workflow:
        import no_such_library  # type: ignore[import-not-found]

        return no_such_library.Model()  # type: ignore[no-any-return]

    def current(self) -> Workflow:
        raise AssertionError("it took a message")


@pytest.mark.parametrize(
    "connects",
    [
        pytest.param(True, id="its model needs what is not installed"),
        pytest.param(False, id="it cannot connect, for whatever reason"),
    ],
)
def test_a_worker_that_cannot_serve_ends_and_takes_no_message(
    connects: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_: Any) -> Any:
        if not connects:
            raise LookupError("no such driver")

    monkeypatch.setattr(Equipment, "connect", connect)
    worker = started(app_of((FRAUD,), Bare), ["ml.fraud.input"])

    with pytest.raises(SystemExit):
        worker.equip()


def test_the_command_of_a_pool_is_what_an_operator_would_type() -> None:
    assert " ".join(worker_command(NIGHT, "17")) == (
        "celery -A tasks worker -Q ml.forecast.batch --pool prefork --concurrency 3 --prefetch-multiplier 1"
        " --hostname ml.forecast.batch.17@%h --loglevel INFO"
    )
