"""A task as Celery sees it: an answer, a retry, a message given back, messages sent on."""

import contextlib
from typing import Any

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from celery.exceptions import Reject
from celery.exceptions import Retry as TaskRetry
from kombu.exceptions import OperationalError

from events.deadletter import DeadLetterHeaders
from events.errors import Retry, Unavailable
from events.lane import Batch, encode_batch
from events.seal import Seal
from tests.unit.tasks.bench import Bench
from tests.unit.tasks.fakes import NOW, Kafka, Scripted, Store, batch_of, fed


@pytest.fixture
def bench() -> Bench:
    """A worker process whose model answers for every event."""
    return Bench()


def causes(kafka: Kafka) -> list[str]:
    """Of the dead letters, in their order."""
    return [DeadLetterHeaders.parse(r.headers).cause for r in kafka.records if r.topic.endswith(".dlq")]


def refuse(*_args: Any, **_kwargs: Any) -> None:
    """A broker that is down."""
    raise OperationalError("connection refused")


def test_a_good_batch_is_acknowledged_with_a_summary_for_flower(bench: Bench) -> None:
    assert bench.run(batch_of("a", "b")) == "2 predictions"
    assert bench.kafka.topics == ["ml.predictions"] * 2
    assert bench.sent() == []


def test_what_failed_is_retried_alone_with_its_pause_at_its_priority() -> None:
    bench = Bench(Scripted({"b": Retry("not yet")}))

    with pytest.raises(TaskRetry):
        bench.run(batch_of("a", "b"), retries=1, priority=6)

    (retry,) = bench.sent()
    assert retry.keys == [b"b"]
    assert (retry.id, retry.retries, retry.priority) == ("first", 2, 6)
    assert retry.eta is not None
    assert retry.batch.first_failure == NOW
    assert bench.kafka.topics == ["ml.predictions"]


def test_a_whole_batch_that_failed_is_retried_by_celery_itself(bench: Bench) -> None:
    bench.workflow.raises = [Retry("a leader election")]

    with pytest.raises(TaskRetry) as caught:
        bench.run(batch_of("a", "b"))

    (retry,) = bench.sent()
    assert retry.keys == [b"a", b"b"]
    assert retry.retries == 1
    assert retry.batch.first_failure == NOW
    assert 0.5 <= float(str(caught.value.when)) <= 1


def test_celerys_retries_end_in_dead_letters_and_not_in_a_loss(bench: Bench) -> None:
    bench.workflow.raises = [Retry("a leader election")]

    assert bench.run(batch_of("a", "b"), retries=3) == "0 predictions, 2 dead letters"
    assert causes(bench.kafka) == ["retries_exhausted"] * 2


def test_a_route_with_more_retries_than_celerys_gets_them() -> None:
    bench = Bench(Scripted({"a": Retry("not yet")}))
    batch = batch_of()
    batch = type(batch)(NOW, (fed("a", max_retries=5),))

    with pytest.raises(TaskRetry):
        bench.run(batch, retries=4)

    assert [retry.retries for retry in bench.sent()] == [5]
    assert not hasattr(bench.task, "override_max_retries")


def test_a_retry_counts_as_outstanding_until_it_begins(bench: Bench) -> None:
    bench.workflow.script = {"a": Retry("not yet")}
    with pytest.raises(TaskRetry):
        bench.run(batch_of("a", "b"))
    assert bench.tally.count(bench.queue) == 1

    bench.workflow.script = {}
    bench.run(batch_of("a"), retries=1)

    assert bench.tally.count(bench.queue) == 0


@pytest.mark.parametrize(
    "workflow",
    [
        pytest.param(lambda: Scripted({"a": Retry("not yet")}), id="of some events"),
        pytest.param(lambda: Scripted(raises=[Retry("a leader election")]), id="of the whole batch"),
    ],
)
def test_a_retry_that_the_broker_refuses_gives_the_message_back(
    workflow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(workflow())
    monkeypatch.setattr(bench.app, "send_task", refuse)
    monkeypatch.setattr("celery.app.task.Task.apply_async", refuse)

    with pytest.raises(Reject) as caught:
        bench.run(batch_of("a", "b"))

    assert vars(caught.value)["requeue"]
    assert bench.tally.count(bench.queue) == 0


@pytest.mark.parametrize(
    "bench_of",
    [
        pytest.param(lambda: Bench(store=Store(down=1_000)), id="the store"),
        pytest.param(lambda: Bench(kafka=Kafka(down=1_000)), id="Kafka"),
        pytest.param(lambda: Bench(Scripted({"a": Unavailable("llm")})), id="what the model needs"),
    ],
)
def test_a_batch_that_waits_too_long_goes_back_to_its_queue_with_the_same_attempt(bench_of: Any) -> None:
    bench = bench_of()

    assert bench.run(batch_of("a", losses=1), retries=2, priority=9) == "sent on as 1 messages"

    (successor,) = bench.sent()
    assert successor.batch == batch_of("a", losses=1)
    assert (successor.retries, successor.priority, successor.eta) == (2, 9, None)
    assert successor.id == "ml.test.input.high[3]@1200+1~1"


def test_a_batch_that_waits_while_the_broker_is_down_too_is_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(store=Store(down=1_000))
    monkeypatch.setattr(bench.task, "apply_async", refuse)

    with pytest.raises(Reject) as caught:
        bench.run(batch_of("a"))

    assert vars(caught.value)["requeue"]
    assert bench.timer.time < 10_000


def test_a_redelivered_batch_is_split_before_anything_of_it_runs(bench: Bench) -> None:
    names = [f"e{number}" for number in range(64)]

    assert bench.run(batch_of(*names), redelivered=True) == "sent on as 32 messages"

    parts = bench.sent()
    assert [key for part in parts for key in part.keys] == [name.encode() for name in names]
    assert len({part.id for part in parts}) == 32
    assert bench.workflow.seen == []


def lose(bench: Bench, batch: Any, task_id: str, *, begun: bool) -> None:
    """A worker takes the message and is lost: while it worked on it, or before."""
    if not begun:
        return

    class LostWorker(BaseException):
        """Not an error that a task could catch."""

    bench.workflow.raises = [LostWorker()]  # type: ignore[list-item]
    with pytest.raises(LostWorker):
        bench.run(batch, task_id)


def test_an_event_that_takes_three_workers_with_it_is_given_up(bench: Bench) -> None:
    batch, task_id = batch_of("a"), "first"
    for _ in range(2):
        lose(bench, batch, task_id, begun=True)
        bench.run(batch, task_id, redelivered=True)
        (successor,) = bench.sent()
        batch, task_id = successor.batch, successor.id
    lose(bench, batch, task_id, begun=True)

    assert bench.run(batch, task_id, redelivered=True) == "0 predictions, 1 dead letters"
    assert causes(bench.kafka) == ["worker_lost"]


def test_an_event_that_only_waited_in_lost_workers_is_worked_on(bench: Bench) -> None:
    batch, task_id = batch_of("a", losses=2), "lane+1~2"
    for _ in range(9):
        lose(bench, batch, task_id, begun=False)

    assert bench.run(batch, task_id, redelivered=True) == "1 predictions"


def test_a_suspect_that_ended_in_order_is_not_held_against_its_next_delivery() -> None:
    bench = Bench(store=Store(down=1_000))
    batch = batch_of("a", losses=2)
    bench.run(batch, "lane+1~2")
    bench.store.down = 0

    assert bench.run(batch, "lane+1~2", redelivered=True) == "1 predictions"


@pytest.mark.parametrize("error", [SoftTimeLimitExceeded(), ZeroDivisionError("a bug"), MemoryError()])
def test_work_that_is_cut_short_is_split(bench: Bench, error: Exception) -> None:
    bench.workflow.raises = [error]

    assert bench.run(batch_of("a", "b")) == "sent on as 2 messages"
    assert [part.keys for part in bench.sent()] == [[b"a"], [b"b"]]


def test_work_that_is_cut_short_is_given_up_as_late_as_the_task_says(bench: Bench) -> None:
    bench.task.max_losses = 5
    bench.workflow.raises = [SoftTimeLimitExceeded(), SoftTimeLimitExceeded()]

    assert bench.run(batch_of("a", losses=3)) == "sent on as 1 messages"
    assert bench.sent()[0].batch.losses == 4
    assert bench.run(batch_of("a", losses=4)) == "0 predictions, 1 dead letters"


def test_a_time_limit_that_strikes_a_wait_says_nothing_about_the_event() -> None:
    bench = Bench(store=Store(down=1_000))

    def strike() -> None:
        raise SoftTimeLimitExceeded

    bench.timer.on_sleep = strike

    assert bench.run(batch_of("a", losses=2)) == "sent on as 1 messages"
    assert bench.sent()[0].batch.losses == 2


def test_a_time_limit_that_strikes_while_a_batch_is_sent_on_gives_it_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def strike(*_args: Any, **_kwargs: Any) -> None:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(bench.task, "apply_async", strike)

    with pytest.raises(Reject) as caught:
        bench.run(batch_of("a", "b"), redelivered=True)

    assert vars(caught.value)["requeue"]


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        pytest.param((), {}, id="no argument"),
        pytest.param(("bm90IGEgYmF0Y2g=",), {}, id="no batch"),
        pytest.param((5,), {}, id="a number"),
        pytest.param(("a", "b"), {}, id="two"),
        pytest.param((), {"batch": "a"}, id="by name"),
    ],
)
def test_arguments_that_are_no_batch_are_dead_lettered(
    bench: Bench, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    bench.run_with(args, kwargs)

    assert causes(bench.kafka) == ["undecodable"]
    assert repr(args).encode() in (bench.kafka.records[0].value or b"")


def test_an_empty_batch_needs_nothing(bench: Bench) -> None:
    assert bench.run(batch_of()) == "0 predictions"
    assert bench.run(batch_of(), redelivered=True) == "sent on as 0 messages"


def test_an_event_alone_that_meets_a_bug_is_retried_by_celery_after_its_routes_pause(bench: Bench) -> None:
    bench.workflow.raises = [ZeroDivisionError("a bug")]
    batch = Batch(NOW, (fed("a", backoff_ms=2_500, max_retries=5),))

    with pytest.raises(TaskRetry) as retried:
        bench.run(batch, retries=0)

    pause: Any = retried.value.when
    assert 1.25 <= pause <= 2.5
    assert bench.sent()[0].retries == 1


def test_a_bug_that_meets_an_event_on_each_try_ends_as_its_dead_letter_when_the_route_says(
    bench: Bench,
) -> None:
    bench.workflow.raises = [ZeroDivisionError("a bug")]

    assert bench.run(Batch(NOW, (fed("a", max_retries=5),)), retries=5) == "0 predictions, 1 dead letters"
    assert causes(bench.kafka) == ["unexpected"]


def test_many_events_that_fail_in_one_way_are_an_outage_and_come_through_after_it(bench: Bench) -> None:
    ids = [f"e{number}" for number in range(8)]
    bench.workflow.raises = [KeyError("no such column") for _ in range(10_000)]
    for offset, event_id in enumerate(ids):
        with contextlib.suppress(TaskRetry):
            bench.run(Batch(NOW, (fed(event_id, offset, max_retries=0 if offset > 4 else 3),)), event_id)

    assert causes(bench.kafka) == []
    bench.workflow.raises = []
    assert bench.run(batch_of(*ids)) == "8 predictions"


class TestAWorkerWithAKey:
    seal = Seal.of("k" * 32)

    def test_decides_on_what_was_signed_with_it(self) -> None:
        bench = Bench(seal=self.seal)
        assert bench.run_with((self.seal.sign(encode_batch(batch_of("a"))),), {}) == "1 predictions"

    def test_makes_a_dead_letter_of_a_forged_message_and_no_outcome(self) -> None:
        bench = Bench(seal=self.seal)
        bench.run(batch_of("a"))
        (letter,) = [DeadLetterHeaders.parse(record.headers) for record in bench.kafka.records]
        assert (letter.cause, letter.prediction_id) == ("undecodable", None)
        assert not [topic for topic in bench.kafka.topics if topic == "ml.predictions"]

    def test_signs_what_it_sends_on(self) -> None:
        bench = Bench(seal=self.seal)
        batch = batch_of("a", "b")
        bench.run_with((self.seal.sign(encode_batch(batch)),), {}, redelivered=True)
        assert [self.seal.open(sent.argument) for sent in bench.sent()]
