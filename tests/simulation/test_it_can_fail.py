"""Mutation tests of the simulation: each breaks one part of the real code, and a property fails."""

from collections import Counter
from collections.abc import Callable, Iterable
from random import Random

import pytest
from confluent_kafka import KafkaError

from dispatcher.bitmap import Bitmap
from dispatcher.feeder import Feeder
from dispatcher.feeding import Feeding, Send
from dispatcher.held import HeldRecord
from dispatcher.outcomes import OutcomeReader
from dispatcher.reconciler import Reconciler
from dispatcher.reconciling import Reconciling
from dispatcher.tracking import Partition, Tracker
from dispatcher.writer import Writer
from events.decision import Millis
from events.errors import Retry
from events.lane import Batch
from routing import deciding
from tasks.handling import Handling
from tasks.outcomes import Outcomes
from tasks.triage import Proceed
from tests.simulation import running, schedule, standing_in
from tests.simulation.playing import play
from transport.group import GroupConsumer

Break = Callable[[pytest.MonkeyPatch], None]
MOST = 1_000


def commit_before_the_acknowledgement(patch: pytest.MonkeyPatch) -> None:
    def land(self: Tracker) -> None:
        while self._flights:
            self._ready |= self._flights.popleft().positions

    patch.setattr(Tracker, "_land", land)


def commit_before_sending(patch: pytest.MonkeyPatch) -> None:
    send = Feeder._send

    def early(self: Feeder, decision: Send[HeldRecord]) -> object:
        self._readers[decision.lane.topic].on_sent(decision.records)
        return send(self, decision)

    patch.setattr(Feeder, "_send", early)


def commit_what_is_anothers(patch: pytest.MonkeyPatch) -> None:
    def forget(self: Tracker, partitions: Iterable[Partition]) -> None:
        pass

    patch.setattr(Tracker, "forget", forget)


def give_up_a_failed_commit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Tracker, "restore", lambda self, positions: None)


def keep_the_records_of_a_lost_partition(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Feeding, "on_lost", lambda self, partitions: None)


def keep_a_record_read_before_its_partition_went(patch: pytest.MonkeyPatch) -> None:
    def read(self: GroupConsumer, limit: int, timeout: float) -> list[object]:
        first = self._consumer.poll(timeout)
        if first is None:
            return []
        return [first, *self._consumer.consume(limit - 1, 0)] if limit > 1 else [first]

    patch.setattr(GroupConsumer, "read", read)


def drop_what_the_broker_refused(patch: pytest.MonkeyPatch) -> None:
    refused = Feeding.on_refused

    def drop(self: Feeding[HeldRecord], now: Millis) -> object:
        for held in self._held.values():
            held.clear()
        return refused(self, now)

    patch.setattr(Feeding, "on_refused", drop)


def send_a_batch_backwards(patch: pytest.MonkeyPatch) -> None:
    cut = Feeding._cut
    patch.setattr(Feeding, "_cut", lambda self, lane: cut(self, lane)[::-1])


def read_without_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Feeding, "room", lambda self, lane: 100)


def write_without_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(standing_in, "IN_THE_AIR", 10**6)


def forget_what_is_held_back_for_a_retry(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("tests.simulation.broker.Celery.retrying", lambda self, queue: 0)


def feed_nothing_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reconciling, "due", lambda self, now: ())


def feed_again_without_a_budget(patch: pytest.MonkeyPatch) -> None:
    due = Reconciling.due

    def greedy(self: Reconciling, now: Millis) -> tuple[int, ...]:
        self._allowance = self._max_allowance
        return due(self, now)

    patch.setattr(Reconciling, "due", greedy)


def pass_over_what_has_no_outcome(patch: pytest.MonkeyPatch) -> None:
    add = Bitmap.add

    def skip(self: Bitmap, offset: int) -> bool:
        added = add(self, offset)
        self.watermark = max(self.watermark, offset + 1)
        return added

    patch.setattr(Bitmap, "add", skip)


def mint_ids(patch: pytest.MonkeyPatch) -> None:
    dice = Random(0)
    patch.setattr(deciding, "prediction_id", lambda *parts: f"pred_{dice.getrandbits(64)}")


def use_up_attempts_in_an_outage(patch: pytest.MonkeyPatch) -> None:
    def decide(self: Handling, batch: Batch) -> Outcomes:
        try:
            return self._engine.decide(batch, self._queue, self._retries)
        except Retry as error:
            return self._engine.failed(batch, self._queue, self._retries, Retry(str(error)))

    patch.setattr(Handling, "_decide", decide)


def forget_one_of_those_that_failed(patch: pytest.MonkeyPatch) -> None:
    verdict = Handling._verdict

    def lose(self: Handling, batch: Batch, passes: list[Outcomes]) -> object:
        for outcomes in passes:
            del outcomes.again[1:]
        return verdict(self, batch, passes)

    patch.setattr(Handling, "_verdict", lose)


def never_split_a_batch_that_kills(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(running, "triage", lambda batch, redelivered: Proceed())


def read_no_outcomes_of_new_partitions(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OutcomeReader, "grow", lambda self: None)


def know_no_new_partition_of_a_lane(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reconciler, "_grow", lambda self: self._outcomes.grow())


def fill_in_what_expired_as_done(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reconciling, "on_expired", lambda self, below: self._done.fill(below) or 0)


def stay_where_records_expired(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(GroupConsumer, "_place", lambda self: None)


def pass_over_what_a_lane_refused(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Writer, "_on_failure", lambda self, pending, error: pending.flight.acknowledge())


def feed_no_overflow_topic(patch: pytest.MonkeyPatch) -> None:
    lanes_of = schedule.Schedule.lanes_of
    patch.setattr(
        schedule.Schedule,
        "lanes_of",
        lambda self, queue: tuple(each for each in lanes_of(self, queue) if "overflow" not in each.topic),
    )


def go_on_with_a_fatal_producer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Writer, "_replace_producer", lambda self, fatal: [])


def forget_what_a_fatal_producer_held(patch: pytest.MonkeyPatch) -> None:
    replace_producer = Writer._replace_producer

    def forget(self: Writer, fatal: KafkaError) -> list[object]:
        replace_producer(self, fatal)
        return []

    patch.setattr(Writer, "_replace_producer", forget)


@pytest.mark.parametrize(
    ("broken", "property_"),
    [
        pytest.param(commit_before_the_acknowledgement, "nothing is lost"),
        pytest.param(commit_before_sending, "nothing is lost"),
        pytest.param(commit_what_is_anothers, "who reads a partition commits it"),
        pytest.param(give_up_a_failed_commit, "the world comes to rest"),
        pytest.param(keep_the_records_of_a_lost_partition, "who reads a partition commits it"),
        pytest.param(keep_a_record_read_before_its_partition_went, "who reads a partition commits it"),
        pytest.param(drop_what_the_broker_refused, "a lane keeps its order"),
        pytest.param(send_a_batch_backwards, "a lane keeps its order"),
        pytest.param(read_without_end, "memory is bounded"),
        pytest.param(write_without_end, "memory is bounded"),
        pytest.param(forget_what_is_held_back_for_a_retry, "what is retried is bounded"),
        pytest.param(feed_nothing_again, "the world comes to rest"),
        pytest.param(feed_again_without_a_budget, "refeeding has a budget"),
        pytest.param(pass_over_what_has_no_outcome, "completeness is true"),
        pytest.param(mint_ids, "nothing is lost"),
        pytest.param(use_up_attempts_in_an_outage, "dead letters are deserved"),
        pytest.param(forget_one_of_those_that_failed, "without a fault nothing is fed again"),
        pytest.param(never_split_a_batch_that_kills, "the world comes to rest"),
        pytest.param(read_no_outcomes_of_new_partitions, "the world comes to rest"),
        pytest.param(know_no_new_partition_of_a_lane, "the world comes to rest"),
        pytest.param(fill_in_what_expired_as_done, "losses are counted"),
        pytest.param(stay_where_records_expired, "the world comes to rest"),
        pytest.param(pass_over_what_a_lane_refused, "nothing is lost"),
        pytest.param(feed_no_overflow_topic, "nothing is lost"),
        pytest.param(go_on_with_a_fatal_producer, "the world comes to rest"),
        pytest.param(forget_what_a_fatal_producer_held, "the world comes to rest"),
    ],
)
def test_a_broken_part_is_found(monkeypatch: pytest.MonkeyPatch, broken: Break, property_: str) -> None:
    broken(monkeypatch)
    tally = play(range(MOST), until=property_)
    found = Counter((outcome.violation or "").partition(":")[0] for outcome in tally.failed)
    assert found[property_], f"{MOST} schedules passed all the same, or failed otherwise: {found}"
