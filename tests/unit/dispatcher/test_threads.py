"""How does a process made of threads end?"""

import logging
import signal
import threading
from collections.abc import Callable

import pytest

from dispatcher.threads import Threads, stop_on_signals


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


def test_a_thread_that_dies_stops_the_others_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    stop = threading.Event()
    threads = Threads(stop)

    def die() -> None:
        raise ZeroDivisionError("by design")

    threads.start("patient", patience(stop))
    threads.start("mortal", die)
    assert threads.wait() == 1
    (record,) = caplog.records
    assert "mortal" in record.getMessage()
    assert record.exc_info is not None


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
