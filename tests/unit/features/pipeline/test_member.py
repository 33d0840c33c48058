"""One member between a topic that is made up and both stores, which are real: where it begins and stops.

The topic is made up because the embedded broker can delete no records.
"""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import fakeredis
import pytest

from features.heartbeats import Heartbeat
from features.increments import encode_row
from features.keys import row_key
from features.offline.store import OfflineStore, open_offline
from features.pipeline import member
from features.pipeline.member import Pipeline
from features.pipeline.placing import Beginning, beginning
from features.pipeline.reading import Record
from features.pipeline.standing import Standing
from features.redis_store import RedisStore
from features.retail import DEFINITIONS
from tests.unit.features.pipeline.events import NOON, TOPIC, batch, order
from transport import metrics
from transport.group import Partition

ONLY: Partition = (TOPIC, 0)


class Log:
    """One partition, of which Kafka holds the records from `low` up to before `high`."""

    topic = TOPIC

    def __init__(self, low: int = 0, values: Collection[bytes] = ()) -> None:
        self.low = low
        self.lag = 0
        self.reached = -1
        self.records = [Record(offset, NOON, value, None) for offset, value in enumerate(values, start=low)]
        self.standing = Standing()
        self.meanwhile: Callable[[], None] = lambda: None
        self.reads_at: int | None = None

    @property
    def high(self) -> int:
        """The offset of the next record to come."""
        return self.low + len(self.records)

    def joined(self, _bootstrap: str, _group: str, _topic: str, standing: Standing, *_: Any) -> "Log":
        """In place of `SourceTopic`."""
        self.standing = standing
        standing.arrive([ONLY])
        return self

    def read(self, limit: int, _timeout: float) -> dict[Partition, list[Record]]:
        """See `SourceTopic`."""
        if self.reads_at is None:
            return {}
        found = [record for record in self.records if record.offset >= self.reads_at][:limit]
        self.reads_at += len(found)
        return {ONLY: found} if found else {}

    def begin(self, partition: Partition, counted: int | None) -> Beginning:
        """See `SourceTopic`."""
        begin = beginning(partition, counted, self.low, self.high)
        self.reads_at = begin.offset
        return begin

    def drop(self, _partitions: Collection[Partition]) -> None:
        """See `SourceTopic`."""
        self.reads_at = None

    def end(self, _partition: Partition) -> int:
        """See `SourceTopic`. An embedded broker's answer lags behind by the last batch."""
        end = self.high - self.lag
        self.meanwhile()
        return end

    def read_to_end(self, _partition: Partition) -> int:
        """See `SourceTopic`."""
        return self.reached

    def stay(self) -> None:
        """See `SourceTopic`."""

    def commit_when_due(self) -> None:
        """See `SourceTopic`."""


class Bench:
    """A pipeline on a log, with both stores."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.offline: OfflineStore = open_offline(f"sqlite:///{folder}/features.db")
        self.offline.create(DEFINITIONS)
        server = fakeredis.FakeServer()
        self.online = RedisStore(
            "redis://fake", connect=lambda url, **_: fakeredis.FakeRedis.from_url(url, server=server)
        )
        self._patch = monkeypatch

    def member(self, log: Log, clock: Callable[[], int] = lambda: NOON) -> Pipeline:
        """It has just joined its group."""
        self._patch.setattr(member, "SourceTopic", log.joined)
        self._patch.setattr(member, "BEAT_EVERY_S", 0.0)
        return Pipeline("kafka:9092", DEFINITIONS, self.offline, self.online, Event(), clock=clock)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    made = Bench(tmp_path, monkeypatch)
    yield made
    made.offline.close()
    made.online.close()


def test_a_quiet_partition_whose_beginning_was_deleted_keeps_no_row_out(bench: Bench) -> None:
    bench.member(Log(low=500)).step(0)

    assert bench.offline.positions(TOPIC) == {0: 500}
    view = DEFINITIONS.stream_views[0]
    found = bench.offline.rows(view, [("acme", "c-1")])
    known = {partition: beat.position for partition, beat in found.heartbeats.items()}
    absent = (row_key("acme", view.name, "c-1"), encode_row((), view), 60)
    assert bench.online.put([absent], known) == ()


def test_a_marker_at_the_end_of_a_quiet_partition_holds_up_no_heartbeat(bench: Bench) -> None:
    log = Log(values=[order(1)])
    log.lag = -1  # the marker of a transaction, which no consumer is given
    now = iter(range(NOON, NOON + 100))
    pipeline = bench.member(log, lambda: next(now))
    pipeline.step(0)
    before = bench.online.heartbeats().partitions[0]
    log.reached = 2
    pipeline.step(0)
    assert bench.online.heartbeats().partitions[0].as_of > before.as_of


def test_a_log_that_is_cut_short_under_its_reader_waits_until_it_is_as_long_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(member, "ASK_AGAIN_S", 0.0)
    log = Log(values=[order(number) for number in range(5)])
    pipeline = bench.member(log)
    pipeline.step(0)
    log.records = log.records[:3]
    for _ in range(3):
        pipeline.step(0)
    assert bench.offline.positions(TOPIC) == {0: 5}
    assert metrics.FEATURE_LOG_SHORT.labels(0)._value.get() == 2
    assert "ends at 3, and the offline store has counted it up to 5" in caplog.text
    log.records += [Record(offset, NOON, order(offset + 10), None) for offset in range(3, 7)]
    for _ in range(3):
        pipeline.step(0)
    assert bench.offline.positions(TOPIC) == {0: 7}
    assert metrics.FEATURE_LOG_SHORT.labels(0)._value.get() == 0


def test_an_end_that_lags_behind_what_was_read_is_no_other_log(bench: Bench) -> None:
    log = Log(values=[order(number) for number in range(5)])
    log.lag = 4
    now = iter(range(NOON, NOON + 100))
    pipeline = bench.member(log, lambda: next(now))
    for _ in range(3):
        pipeline.step(0)
    before = bench.online.heartbeats().partitions[0]
    pipeline.step(0)
    assert before.position == 5
    assert bench.online.heartbeats().partitions[0].as_of > before.as_of


def test_a_member_that_was_frozen_while_another_counted_on_goes_on_there(bench: Bench) -> None:
    log = Log(values=[order(1)])
    pipeline = bench.member(log)
    pipeline.step(0)

    def another_counts_on() -> None:
        log.meanwhile = lambda: None
        log.records.append(Record(1, NOON, order(2), None))
        bench.offline.commit(batch(1, order(2)))
        bench.online.append(0, 1, Heartbeat(2, NOON, NOON), ())

    log.meanwhile = another_counts_on
    pipeline.step(0)
    pipeline.step(0)
    assert log.standing.placed[ONLY].position == 2


def test_an_online_store_that_was_told_of_more_than_both_sql_and_kafka_have_is_named(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    log = Log(values=[order(1)])
    bench.online.append(0, 0, Heartbeat(7, NOON, NOON), ())
    pipeline = bench.member(log)
    pipeline.step(0)
    assert "ends at 1, and the online store was told of it up to 7" in caplog.text
    assert bench.offline.positions(TOPIC) == {0: 1}
