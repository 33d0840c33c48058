"""History beside the stream: whatever comes first, and however often, each event counts once."""

from collections.abc import Iterator
from pathlib import Path

import fakeredis
import pytest

from events.errors import ConfigError, Unavailable
from features.backfilling import Report, count_history, put_history
from features.decoding import segments_of
from features.heartbeats import Heartbeat
from features.histories import json_lines
from features.keys import row_key, shelf_of
from features.offline.batch import StreamEvent
from features.offline.store import OfflineStore, open_offline
from features.pipeline.counting import count
from features.pipeline.pushing import Pusher
from features.redis_store import RedisStore
from features.retail import CUSTOMER_ORDERS, DEFINITIONS
from tests.unit.features.pipeline.events import NOON, TOPIC, batch, event, order, record
from transport.database import UnstorableError

CUSTOMER = row_key("acme", shelf_of(CUSTOMER_ORDERS), "c-1")


class Bench:
    """Both tiers."""

    def __init__(self, folder: Path) -> None:
        self.offline: OfflineStore = open_offline(f"sqlite:///{folder}/features.db")
        self.offline.create(DEFINITIONS)
        self.server = fakeredis.FakeServer()
        self.online = RedisStore(
            "redis://fake", connect=lambda url, **_: fakeredis.FakeRedis.from_url(url, server=self.server)
        )

    def backfill(self, *values: bytes) -> Report:
        """History into both tiers."""
        records = (record(number, value) for number, value in enumerate(values))
        report = count_history(records, DEFINITIONS, self.offline)
        put_history(DEFINITIONS, self.offline, self.online, lambda _done, _of: None)
        return report

    def stream(self, base: int, *values: bytes) -> None:
        """The same out of the topic."""
        pusher = Pusher(TOPIC, DEFINITIONS, self.offline, self.online, lambda: None)
        pusher.greet(0, base)
        for counted in count(self.offline, batch(base, *values), 0):
            pusher.push(counted)

    def orders(self) -> tuple[int, int]:
        """How many orders of the customer both tiers know, online and offline."""
        (row,), _ = self.online.read([CUSTOMER])
        assert row is not None
        found = self.offline.rows(DEFINITIONS.stream_views[0], [("acme", "c-1")]).segments["acme", "c-1"]
        online, offline = (
            sum(int(segment.increments["n"].sum()) for segment in segments)
            for segments in (segments_of(row), found)
        )
        return online, offline


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.offline.close()
    made.online.close()


def test_history_counts_once_however_often_it_is_given(bench: Bench) -> None:
    first = bench.backfill(order(1), order(2), order(1))
    again = bench.backfill(order(1), order(2), order(3))
    assert (first.counted, first.duplicates) == (2, 1)
    assert (again.counted, again.duplicates) == (1, 2)
    assert bench.orders() == (3, 3)


def test_what_the_stream_counted_is_no_history_any_more(bench: Bench) -> None:
    bench.stream(0, order(1), order(2))
    assert bench.backfill(order(2), order(3)).duplicates == 1
    assert bench.orders() == (3, 3)


def test_what_history_counted_the_stream_passes_over(bench: Bench) -> None:
    bench.backfill(order(1), order(2))
    bench.stream(0, order(2), order(3))
    assert bench.orders() == (3, 3)


def test_the_stream_goes_on_over_rows_that_history_put(bench: Bench) -> None:
    bench.stream(0, order(1))
    bench.backfill(order(2))
    bench.stream(1, order(3))
    bench.backfill(order(4))
    assert bench.orders() == (4, 4)


def test_a_backfill_that_was_stopped_before_it_put_is_put_by_the_next(bench: Bench) -> None:
    bench.backfill(order(1))
    count_history([record(0, order(2))], DEFINITIONS, bench.offline)
    bench.backfill(order(2))
    assert bench.orders() == (2, 2)


def test_what_is_skipped_is_counted_by_its_cause_with_an_example(bench: Bench) -> None:
    report = bench.backfill(
        b"\xff", order(1), b"{}", b"{}", event("e", "inventory.updated", sku="s", quantity=1)
    )
    assert (report.records, report.counted, report.idle) == (5, 1, 1)
    assert report.skipped == {"invalid_envelope": 2, "undecodable": 1}
    assert report.first["invalid_envelope"].startswith("record 2: ")


def test_an_emptied_redis_is_not_filled_before_the_pipeline_says_how_far_it_is(bench: Bench) -> None:
    bench.stream(0, order(1))
    fakeredis.FakeRedis(server=bench.server).flushall()
    with pytest.raises(Unavailable, match="signalbox features pipeline"):
        bench.backfill(order(2))
    bench.online.append(0, 1, Heartbeat(1, NOON, NOON), ())
    bench.backfill(order(2))
    assert bench.orders() == (2, 2)


def test_one_event_that_the_database_refuses_costs_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = bench.offline.append_history

    def refusing(events: list[StreamEvent]) -> object:
        if any(each.event_id == "e-2" for each in events):
            raise UnstorableError("offline feature store", "OverflowError")
        return inner(events)

    monkeypatch.setattr(bench.offline, "append_history", refusing)
    report = bench.backfill(*(order(number) for number in range(5)))
    assert (report.counted, report.skipped) == (4, {"unstorable": 1})


def test_a_file_of_json_lines_names_the_line(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(order(1) + b"\n\n" + order(2) + b"\n")
    assert [(each.offset, each.value) for each in json_lines(file, NOON)] == [(1, order(1)), (3, order(2))]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.jsonl"):
        list(json_lines(tmp_path / "nowhere.jsonl", NOON))
