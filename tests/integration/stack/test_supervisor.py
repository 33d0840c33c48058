"""Processes are kept running, shown, and stopped to the last one. With real processes."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from events.errors import Unavailable
from stack.child import Service
from stack.supervisor import ITSELF, StartError, Supervisor

_OTHERS: set[int] = set()


@pytest.fixture(autouse=True)
def others() -> None:
    """The processes that were there before the test."""
    _OTHERS.clear()
    _OTHERS.update(child.pid for child in _shells())


class Screen:
    """Collects what is shown."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, name: str, line: str) -> None:
        self.lines.append((name, line))

    def said(self, name: str) -> list[str]:
        return [line for speaker, line in self.lines if speaker == name]


def shell(name: str, script: str, **more: object) -> Service:
    return Service(name, ("sh", "-c", script), **more)  # type: ignore[arg-type]  # the test's shorthand


def watch_until(supervisor: Supervisor, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        supervisor.watch()
        time.sleep(0.01)


def test_each_line_is_shown_with_the_name_of_who_printed_it() -> None:
    screen = Screen()
    with Supervisor(screen) as supervisor:
        supervisor.start(shell("router", "echo one; echo two >&2; printf '\\377\\n'; exec sleep 60"))
        supervisor.start(shell("feeder", "echo $LANE; exec sleep 60", env={"LANE": "high"}))
        watch_until(supervisor, lambda: len(screen.lines) == 4)
    assert screen.said("router") == ["one", "two", "\N{REPLACEMENT CHARACTER}"]
    assert screen.said("feeder") == ["high"]


def test_a_service_counts_as_started_once_it_is_ready(tmp_path: Path) -> None:
    flag = tmp_path / "ready"
    with Supervisor(Screen()) as supervisor:
        supervisor.start(shell("kafka", f"sleep 0.3; touch {flag}; exec sleep 60", ready=flag.exists))
        assert flag.exists()


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        pytest.param("exit 3", r"kafka ended with exit code 3 before it was ready", id="it ends at once"),
        pytest.param("exec sleep 60", r"kafka was not ready within 0 s", id="it never answers"),
    ],
)
def test_a_service_that_does_not_come_up_is_an_error_and_is_not_left_behind(
    script: str, complaint: str
) -> None:
    with pytest.raises(StartError, match=complaint), Supervisor(Screen()) as supervisor:
        supervisor.start(shell("kafka", script, ready=lambda: False), timeout=0.4)
    assert _children() == []


def test_what_dies_is_started_again_and_that_is_shown(tmp_path: Path) -> None:
    screen = Screen()
    with Supervisor(screen) as supervisor:
        supervisor.start(shell("worker", "echo $$; exec sleep 60"))
        watch_until(supervisor, lambda: len(screen.said("worker")) == 1)
        os.kill(int(screen.said("worker")[0]), signal.SIGKILL)
        watch_until(supervisor, lambda: len(screen.said("worker")) == 2)
        watch_until(supervisor, lambda: len(screen.said(ITSELF)) == 3)
    assert screen.said(ITSELF) == [
        "worker ended (SIGKILL); starts again in 0.5 s",
        f"  worker: {screen.said('worker')[0]}",
        "worker runs again",
    ]


def test_a_part_that_does_not_come_up_is_named_with_its_last_lines_and_the_others_go_on(
    tmp_path: Path,
) -> None:
    screen, flag = Screen(), tmp_path / "ready"
    with Supervisor(screen) as supervisor:
        broken = supervisor.launch(
            shell("worker churn", "echo 'churn.py, line 3: SyntaxError'; exit 1", ready=lambda: False)
        )
        sound = supervisor.launch(
            shell("worker fraud", f"sleep 0.3; touch {flag}; exec sleep 60", ready=flag.exists)
        )
        assert supervisor.await_each([broken, sound]) == (broken,)
        assert flag.exists()
        assert sound.exit_code is None
    assert "worker churn ended (exit code 1); starts again in 0.5 s" in screen.said(ITSELF)
    assert "  worker churn: churn.py, line 3: SyntaxError" in screen.said(ITSELF)
    assert not any("fraud" in line for line in screen.said(ITSELF))


def test_what_has_nothing_to_save_is_stopped_at_once() -> None:
    screen = Screen()
    with Supervisor(screen) as supervisor:
        supervisor.start(shell("kafka", "trap '' TERM; echo up; while :; do sleep 0.1; done", grace=0))
        watch_until(supervisor, lambda: screen.said("kafka") == ["up"])
    assert screen.said(ITSELF) == []
    assert _children() == []


def test_what_a_restart_calls_for_is_tried_until_it_succeeds() -> None:
    screen = Screen()
    made: list[str] = []

    def make_topics() -> None:
        made.append("topics")
        if len(made) == 1:
            raise Unavailable("kafka")

    with Supervisor(screen) as supervisor:
        supervisor.start(shell("kafka", "sleep 0.1; [ -e x ]", after_restart=make_topics))
        watch_until(supervisor, lambda: len(made) == 2)
    assert "kafka: kafka is unavailable" in screen.said(ITSELF)


def test_the_children_of_one_that_died_go_with_it(tmp_path: Path) -> None:
    screen = Screen()
    with Supervisor(screen) as supervisor:
        supervisor.start(shell("worker", f"sleep 61 & echo $! > {tmp_path}/pool; sleep 0.3; exit 1"))
        watch_until(supervisor, lambda: bool(screen.said(ITSELF)))
        first = int((tmp_path / "pool").read_text())
        watch_until(supervisor, lambda: not _alive(first))


def test_what_stands_on_others_is_stopped_before_them() -> None:
    screen = Screen()
    script = "trap 'sleep 0.2; echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    with Supervisor(screen) as supervisor:
        for name, tier in (("kafka", 0), ("worker", 1), ("traffic", 2)):
            supervisor.start(shell(name, script, tier=tier))
        watch_until(supervisor, lambda: len(screen.lines) == 3)
    _wait(lambda: len(screen.lines) == 6)
    assert [name for name, line in screen.lines if line == "bye"] == ["traffic", "worker", "kafka"]


def test_one_that_ignores_sigterm_is_killed_with_its_children() -> None:
    screen = Screen()
    with Supervisor(screen) as supervisor:
        supervisor.start(shell("deaf", "trap '' TERM; echo up; sleep 61; sleep 61", grace=0.3))
        watch_until(supervisor, lambda: bool(screen.lines))
    assert screen.said(ITSELF) == ["deaf did not end within 0.3 s: killed"]
    assert _children() == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent's life")
def test_a_supervisor_that_is_killed_leaves_nobody_behind(tmp_path: Path) -> None:
    program = (
        "import time\n"
        "from stack.child import Service\n"
        "from stack.supervisor import Supervisor\n"
        "supervisor = Supervisor(lambda name, line: None)\n"
        f"script = 'echo $$ > {tmp_path}/pid; exec sleep 61'\n"
        "supervisor.start(Service('worker', ('sh', '-c', script)))\n"
        "time.sleep(60)\n"
    )
    with psutil.Popen([sys.executable, "-c", program]) as killed:
        _wait(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text().strip()))
        killed.kill()
    worker = int((tmp_path / "pid").read_text())
    _wait(lambda: not _alive(worker))


def _children() -> list[str]:
    """Of this test: services that other tests share live on beside it."""
    return [child.name() for child in _shells() if child.pid not in _OTHERS]


def _shells() -> list[psutil.Process]:
    found = psutil.Process().children(recursive=True)
    return [child for child in found if child.name() in ("sh", "sleep")]


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
