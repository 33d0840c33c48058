"""A worker's handling of each message, and of each event about one."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Task

from tasks.consumer import FLUSH_S, Consumer
from tasks.malformed import RecordMalformed
from tasks.stopping import STOPPING


class Hub:
    """Celery's event loop, as far as it is used: what was asked for, and when."""

    def __init__(self) -> None:
        self.later: list[tuple[float, Callable[[], None]]] = []
        self.soon: list[object] = []

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        """After `delay` seconds."""
        self.later.append((delay, callback))

    def call_soon(self, callback: object) -> None:
        """In the next round."""
        self.soon.append(callback)


class Dispatcher:
    """Counts what is published."""

    flushed = 0

    def flush(self) -> None:
        """Everything that was gathered."""
        self.flushed += 1


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch) -> Consumer:
    """A consumer that was never connected, at a time that stands still."""
    made: Any = Consumer.__new__(Consumer)
    made.hub, made.event_dispatcher, made._flush_events_promise = Hub(), Dispatcher(), "at once"
    monkeypatch.setattr("tasks.consumer.time.monotonic", lambda: 100.0)
    return made  # type: ignore[no-any-return]


def test_events_about_tasks_are_gathered_and_published_together(consumer: Consumer) -> None:
    for _ in range(50):
        consumer.on_send_event_buffered()

    assert consumer.hub.later == [(FLUSH_S, consumer.flush_events)]
    consumer.flush_events()
    assert consumer.event_dispatcher.flushed == 1


def test_what_may_expire_is_what_carries_no_events(consumer: Consumer) -> None:
    made: Any = consumer
    made.app = SimpleNamespace(tasks={"by the clock": Task(), "of events": RecordMalformed()})

    assert consumer.clocked_tasks() == {"by the clock"}


def test_the_next_ones_are_gathered_anew(consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    consumer.on_send_event_buffered()
    monkeypatch.setattr("tasks.consumer.time.monotonic", lambda: 100.0 + FLUSH_S)
    consumer.on_send_event_buffered()

    assert len(consumer.hub.later) == 2


def test_a_worker_that_stops_publishes_at_once(consumer: Consumer) -> None:
    STOPPING.set()
    try:
        consumer.on_send_event_buffered()
    finally:
        STOPPING.clear()

    assert consumer.hub.later == []
    assert consumer.hub.soon == ["at once"]
