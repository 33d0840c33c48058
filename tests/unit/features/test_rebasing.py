"""Kafka's log was replaced: what was counted stays, and the new log is counted from its beginning."""

from pathlib import Path

import pytest

from features.offline.batch import BACKFILL, BACKFILL_TOPIC, StreamBatch, StreamEvent
from features.offline.rebasing import rebase
from features.offline.store import OfflineStore, open_offline
from features.pipeline.reading import Record, read_record
from features.retail import CUSTOMER_ORDERS, DEFINITIONS
from tests.trained import placed
from training.transactions import Transaction

TOPIC = "retail.events"
DAY_S = 86_400
NOW = 20_110 * DAY_S * 1_000


@pytest.fixture
def store(tmp_path: Path) -> OfflineStore:
    made = open_offline(f"sqlite:///{tmp_path}/features.db")
    made.create(DEFINITIONS)
    return made


def event(event_id: str, offset: int) -> StreamEvent:
    read = read_record(
        Record(offset, NOW, placed(Transaction(20_100 * DAY_S, "c-1", "t-1", 500, False), event_id), None),
        DEFINITIONS,
    )
    assert isinstance(read, StreamEvent)
    return read


def counted(store: OfflineStore, partition: int, *events: StreamEvent) -> int:
    """A batch of a partition of which nothing was counted before; how many were new."""
    position = events[-1].offset + 1
    batch = StreamBatch(TOPIC, partition, 0, position, as_of=NOW, clock=NOW, events=events)
    return len(store.commit(batch).fresh)


def orders(store: OfflineStore) -> int:
    """Of the one customer."""
    (segments,) = store.rows(CUSTOMER_ORDERS, [("retailpulse", "c-1")]).segments.values()
    return sum(int(segment.increments["n"].sum()) for segment in segments)


@pytest.mark.parametrize("history", [0, 2])
def test_what_was_counted_stays_and_offsets_begin_at_the_beginning(store: OfflineStore, history: int) -> None:
    store.append_history([event(f"past-{number}", number) for number in range(history)])
    counted(store, 0, event("a", 0), event("b", 1))
    counted(store, 3, event("c", 0), event("d", 1), event("e", 5))

    rebase(store)

    assert store.positions(TOPIC) == {}
    assert orders(store) == history + 5
    # the same offsets again, of other events
    assert counted(store, 0, event("f", 0), event("g", 1)) == 2
    assert orders(store) == history + 7
    store.append_history([event("h", 0)])
    assert orders(store) == history + 8


def test_an_event_that_was_counted_in_the_old_log_is_still_a_duplicate_in_the_new_one(
    store: OfflineStore,
) -> None:
    counted(store, 0, event("a", 0))
    rebase(store)
    assert counted(store, 1, event("a", 0)) == 0


def test_rows_say_that_all_of_it_is_history(store: OfflineStore) -> None:
    counted(store, 2, event("a", 7))
    reached = rebase(store)
    rows = store.rows(CUSTOMER_ORDERS, [("retailpulse", "c-1")])
    assert {segment.partition for segment in rows.segments["retailpulse", "c-1"]} == {BACKFILL}
    assert store.positions(BACKFILL_TOPIC) == {BACKFILL: reached}


def test_where_nothing_was_counted_there_is_nothing_to_move(store: OfflineStore) -> None:
    assert rebase(store) == 0
    assert store.positions(BACKFILL_TOPIC) == {}
    assert rebase(store) == 0
