"""The verdict on one message."""

from collections.abc import Callable

import msgspec
import pytest

from events.deadletter import DeadLetterHeaders
from events.decision import dead_letter_topic
from events.errors import Cause, DeadLetter, Retry, Unavailable
from events.lane import Batch
from events.topics import PREDICTIONS
from models.workflow import Answer
from tasks.handling import Finished, Handling, Successors, TryAgain
from tasks.lifecycle import Lifecycle
from tasks.patience import Patience
from tasks.policy import Limits
from tasks.triage import GiveUp, Proceed, Resubmit
from tests.unit.tasks.fakes import NOW, OUTPUT, QUEUE, FakeTimer, Kafka, Scripted, Store, batch_of

LIMITS = Limits(patience=5_000, surrender=8_000, publish=3_000, longest_backoff=3_000)


class Bench:
    """One message in a worker's hands, with a model, a store and a Kafka that do what the test says."""

    def __init__(
        self,
        workflow: Scripted | None = None,
        store: Store | None = None,
        kafka: Kafka | None = None,
        retries: int = 0,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.workflow = workflow or Scripted()
        self.kafka = kafka or Kafka()
        self.timer = FakeTimer()
        engine = Lifecycle(self.workflow, store or Store(), lambda: NOW, "1")
        patience = Patience(LIMITS, stopping, self.timer)
        self.handling = Handling(
            engine,
            lambda outcomes: outcomes.write(self.kafka.publish),
            patience,
            LIMITS,
            QUEUE,
            retries,
            share=lambda: 1.0,
        )

    def work(self, batch: Batch) -> object:
        """The verdict on a batch that nothing is held against."""
        return self.handling.follow(Proceed(), batch)

    @property
    def causes(self) -> list[Cause]:
        """Of the dead letters, in their order."""
        return [
            DeadLetterHeaders.parse(record.headers).cause
            for record in self.kafka.records
            if record.topic.endswith(".dlq")
        ]


def keys(batch: Batch) -> list[bytes | None]:
    """Which events are in it."""
    return [record.key for record in batch.records]


def test_a_good_batch_is_finished_once_kafka_holds_it() -> None:
    bench = Bench()

    assert bench.work(batch_of("a", "b")) == Finished("2 predictions")
    assert bench.kafka.topics == ["ml.predictions"] * 2


def test_what_failed_is_tried_again_after_the_rest_was_published() -> None:
    bench = Bench(Scripted({"b": Retry("not yet"), "c": DeadLetter("rejected", "never")}), retries=1)

    verdict = bench.work(batch_of("a", "b", "c"))

    assert isinstance(verdict, TryAgain)
    assert keys(verdict.batch) == [b"b"]
    assert (verdict.pause, verdict.max_retries, verdict.whole) == (2_000, 3, False)
    assert verdict.batch.first_failure == NOW
    assert bench.kafka.topics == ["ml.predictions", "ml.test.input.dlq"]


def test_a_retry_remembers_when_it_failed_first() -> None:
    bench = Bench(Scripted({"a": Retry("not yet")}), retries=1)

    verdict = bench.work(batch_of("a", "b", first_failure=NOW - 7_000))

    assert isinstance(verdict, TryAgain)
    assert verdict.batch.first_failure == NOW - 7_000


def test_a_failure_of_the_whole_batch_is_celerys_to_retry() -> None:
    error = Retry("a leader election")
    bench = Bench(Scripted(raises=[error]))

    verdict = bench.work(batch_of("a", "b"))

    assert isinstance(verdict, TryAgain)
    assert (verdict.whole, verdict.error) == (True, error)
    assert bench.kafka.records == []


def test_a_batch_that_failed_for_the_last_time_is_given_up_and_not_lost() -> None:
    bench = Bench(Scripted(raises=[Retry("a leader election")]), retries=3)

    assert bench.work(batch_of("a", "b")) == Finished("0 predictions, 2 dead letters")
    assert bench.causes == ["retries_exhausted", "retries_exhausted"]


@pytest.mark.parametrize(
    ("store", "kafka"),
    [
        pytest.param(Store(down=4), Kafka(), id="the store is down for a moment"),
        pytest.param(Store(), Kafka(down=4), id="Kafka is down for a moment"),
    ],
)
def test_an_outage_is_waited_for_and_uses_up_no_attempt(store: Store, kafka: Kafka) -> None:
    bench = Bench(store=store, kafka=kafka)

    assert bench.work(batch_of("a")) == Finished("1 predictions")
    assert bench.timer.time == 50 + 100 + 200 + 400


def test_the_model_is_not_asked_again_while_only_kafka_is_down() -> None:
    bench = Bench(kafka=Kafka(down=4))

    bench.work(batch_of("a"))

    assert bench.workflow.seen == [["a"]]


@pytest.mark.parametrize(
    ("store", "kafka"),
    [
        pytest.param(Store(down=1_000), Kafka(), id="the store stays down"),
        pytest.param(Store(), Kafka(down=1_000), id="Kafka stays down"),
    ],
)
def test_a_batch_is_handed_back_as_it_is_before_a_time_limit_strikes(store: Store, kafka: Kafka) -> None:
    bench = Bench(store=store, kafka=kafka, retries=2)
    batch = batch_of("a", "b", losses=1)

    assert bench.work(batch) == Successors((batch,))
    assert bench.timer.time <= LIMITS.patience
    assert bench.kafka.records == []


def test_a_worker_that_stops_hands_back_at_once() -> None:
    bench = Bench(store=Store(down=1_000), stopping=lambda: True)

    assert bench.work(batch_of("a")) == Successors((batch_of("a"),))
    assert bench.timer.time == 0


def test_only_those_wait_whose_dependency_is_down() -> None:
    workflow = Scripted({"b": Unavailable("llm", "busy")})
    bench = Bench(workflow)

    def recover() -> None:
        if bench.timer.time > 100:
            workflow.script.clear()

    bench.timer.on_sleep = recover

    assert bench.work(batch_of("a", "b", "c")) == Finished("3 predictions")
    assert workflow.seen == [["a", "b", "c"], ["b"], ["b"]]
    assert [record.key for record in bench.kafka.records] == [b"pred_a", b"pred_c", b"pred_b"]


def test_those_that_wait_and_those_that_failed_are_handed_back_together() -> None:
    bench = Bench(Scripted({"b": Unavailable("llm", "busy"), "c": Retry("not yet")}))

    verdict = bench.work(batch_of("a", "b", "c"))

    assert isinstance(verdict, Successors)
    assert [keys(batch) for batch in verdict.batches] == [[b"b", b"c"]]


def test_those_that_failed_are_retried_once_the_others_are_done_waiting() -> None:
    workflow = Scripted({"b": Unavailable("llm", "busy"), "c": Retry("not yet")})
    bench = Bench(workflow)

    def recover() -> None:
        workflow.script.pop("b", None)

    bench.timer.on_sleep = recover

    verdict = bench.work(batch_of("a", "b", "c"))

    assert isinstance(verdict, TryAgain)
    assert keys(verdict.batch) == [b"c"]
    assert len(bench.kafka.records) == 2


def test_triage_is_followed() -> None:
    parts = (batch_of("a"), batch_of("b"))
    bench = Bench()

    assert bench.handling.follow(Resubmit(parts), batch_of("a", "b")) == Successors(parts)
    assert bench.handling.follow(GiveUp("worker_lost"), batch_of("a", losses=2)) == Finished(
        "0 predictions, 1 dead letters"
    )
    assert bench.causes == ["worker_lost"]
    assert bench.workflow.seen == []


@pytest.mark.parametrize("cause", ["timeout", "rejected"])
def test_a_batch_whose_work_was_cut_short_is_split_until_one_event_stands_alone(cause: Cause) -> None:
    bench = Bench()
    batch = batch_of("a", "b")

    split = bench.handling.cut_short(batch, cause, ZeroDivisionError("a bug"))

    assert isinstance(split, Successors)
    assert [keys(part) for part in split.batches] == [[b"a"], [b"b"]]
    alone = msgspec.structs.replace(split.batches[0], losses=2)
    assert bench.handling.cut_short(alone, cause, ZeroDivisionError("a bug")) == Finished(
        "0 predictions, 1 dead letters"
    )
    assert bench.causes == [cause]


def test_an_event_that_is_given_up_while_kafka_is_down_is_handed_back() -> None:
    bench = Bench(kafka=Kafka(down=1_000))
    batch = batch_of("a", losses=2)

    assert bench.handling.follow(GiveUp("worker_lost"), batch) == Successors((batch,))


def test_while_one_topic_takes_nothing_no_record_of_another_is_written_twice() -> None:
    bench = Bench(Scripted({"b": DeadLetter("rejected", "never")}))
    bench.kafka.closed = {dead_letter_topic(QUEUE)}

    verdict = bench.work(batch_of("a", "b", "c"))

    assert isinstance(verdict, Successors)
    assert [keys(batch) for batch in verdict.batches] == [[b"b"]]
    assert [record.key for record in bench.kafka.records] == [b"pred_a", b"pred_c"]
    assert len(bench.timer.slept) > 3


def test_what_waits_for_a_topic_is_written_once_it_takes_records_again() -> None:
    bench = Bench(Scripted({"b": DeadLetter("rejected", "never")}))
    bench.kafka.closed = {dead_letter_topic(QUEUE)}
    bench.timer.on_sleep = bench.kafka.closed.clear

    assert bench.work(batch_of("a", "b")) == Finished("1 predictions, 1 dead letters")
    assert bench.kafka.topics == ["ml.predictions", dead_letter_topic(QUEUE)]


def test_a_prediction_that_kafka_never_takes_is_a_dead_letter_of_its_event_alone() -> None:
    bench = Bench(Scripted({"b": Answer(OUTPUT, {f"feature_{number}": 1.5 for number in range(500)})}))
    bench.kafka.narrow = {PREDICTIONS: 5_000}

    assert bench.work(batch_of("a", "b", "c")) == Finished("2 predictions, 1 dead letters")
    assert bench.causes == ["too_large"]
    assert [record.key for record in bench.kafka.records] == [b"pred_a", b"pred_c", b"b"]
    assert bench.timer.slept == []


def test_a_dead_letter_that_its_topic_does_not_take_is_cut_and_says_so() -> None:
    bench = Bench(Scripted({"a": DeadLetter("rejected", "never")}))
    bench.kafka.narrow = {dead_letter_topic(QUEUE): 100}

    assert bench.work(batch_of("a")) == Finished("0 predictions, 1 dead letters")
    (letter,) = bench.kafka.records
    said = dict(letter.headers)
    assert (letter.value, said["dlq.truncated"]) == (None, b"key,value")
    assert int(said["dlq.original.length"] or b"") > 100


def test_a_message_whose_dead_letter_cannot_be_cut_further_waits_and_is_not_lost() -> None:
    bench = Bench(Scripted({"b": DeadLetter("rejected", "never")}))
    bench.kafka.narrow = {dead_letter_topic(QUEUE): -1}

    verdict = bench.work(batch_of("a", "b"))

    assert isinstance(verdict, Successors)
    assert [keys(batch) for batch in verdict.batches] == [[b"b"]]
    assert bench.kafka.topics == ["ml.predictions"]
