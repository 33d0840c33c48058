"""The end of a process made of threads."""

import logging
import signal
import threading
from collections.abc import Callable

import pytest

from dispatcher.threads import Threads, stop_on_signals
from events.errors import ConfigError, Problem


def patience(stop: threading.Event) -> Callable[[], None]:
    def wait() -> None:
        stop.wait(60)

    return wait


def test_it_ends_well_once_it_is_stopped() -> None:
    stop = threading.Event()
    threads = Threads(stop)
    threads.start("worker", patience(stop))
    stop.set()
    assert threads.wait() == 0


def test_a_thread_that_fails_begins_again_while_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("dispatcher.threads.SHORTEST_PAUSE_S", 0.0)
    stop = threading.Event()
    threads = Threads(stop)
    runs = []

    def fail_twice() -> None:
        runs.append(stop.is_set())
        if len(runs) < 3:
            raise ZeroDivisionError("by design")
        stop.set()

    threads.start("patient", patience(stop))
    threads.start("mortal", fail_twice)
    assert threads.wait() == 0
    assert runs == [False, False, False]
    assert [(record.getMessage()[:6], bool(record.exc_info)) for record in caplog.records] == [
        ("mortal", True),
        ("mortal", True),
    ]


def test_what_is_configured_wrong_ends_the_process(caplog: pytest.LogCaptureFixture) -> None:
    stop = threading.Event()
    threads = Threads(stop)

    def refuse() -> None:
        raise ConfigError([Problem("table.yaml", 3, "sla_ms", "must be positive")])

    threads.start("patient", patience(stop))
    threads.start("mortal", refuse)
    assert threads.wait() == 1
    assert "mortal" in caplog.text


def test_a_thread_that_ends_early_is_no_less_wrong(caplog: pytest.LogCaptureFixture) -> None:
    threads = Threads(threading.Event())
    threads.start("hasty", lambda: None)
    assert threads.wait() == 1
    assert "hasty" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it(number: signal.Signals, caplog: pytest.LogCaptureFixture) -> None:
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    stop = threading.Event()
    try:
        with caplog.at_level(logging.INFO):
            stop_on_signals(stop)
            signal.raise_signal(number)
        assert stop.is_set()
        assert number.name in caplog.text
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
