"""The pipeline on a real broker: what it counts, where it goes on, and what stops it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from events.contract import DAY_MS
from features.histories import TopicHistory
from tests.integration.dispatcher.ground import wait_until
from tests.integration.dispatcher.own_redis import OwnRedis
from tests.integration.features.streaming import MayBeAway, Streaming
from tests.unit.features.pipeline.events import order
from transport.clock import system_clock
from transport.database import open_database


@pytest.fixture
def streaming(kafka: str, unique: Callable[[str], str], tmp_path: Path) -> Iterator[Streaming]:
    """With a Redis that the test may freeze and kill."""
    redis = OwnRedis(tmp_path)
    redis.start()
    made = Streaming(kafka, unique("retail.events"), redis, tmp_path)
    yield made
    made.offline.close()
    made.online.close()
    redis.thaw()
    redis.kill()


def orders(first: int, last: int) -> list[bytes | None]:
    """Orders of 1.00 by ten customers."""
    return [order(number, customer_id=f"c-{number % 10}", amount=1.0) for number in range(first, last)]


def test_every_order_counts_once_in_both_tiers(streaming: Streaming) -> None:
    streaming.produce(orders(0, 1_000))
    streaming.produce(orders(0, 100))  # sent a second time, to other partitions too
    with streaming.member():
        wait_until(lambda: streaming.pushed() == 1_100, 60, "all are pushed")
    assert streaming.counted() == 1_100
    assert {streaming.total(f"c-{number}") for number in range(10)} == {(10_000, 10_000)}


def test_bad_records_hold_up_nobody(streaming: Streaming) -> None:
    streaming.produce([b"\xff", order(1), None, order(2, customer_id="c\x00"), order(3)], partition=2)
    with streaming.member() as member:
        wait_until(lambda: streaming.pushed() == 5, 60, "all are passed")
    assert member.error is None
    assert streaming.total("c-1") == (2_500, 2_500)


def test_a_producer_whose_clock_is_ahead_ends_no_windows(streaming: Streaming) -> None:
    now = system_clock()
    # Kafka refuses what claims to be an hour ahead and more; an event says what it likes
    streaming.produce([order(1, now + 30 * DAY_MS, amount=1.0)], partition=0, timestamp=now + 1_800_000)
    streaming.produce([order(2, amount=1.0)], partition=0)
    with streaming.member():
        wait_until(lambda: streaming.pushed() == 2, 60, "both are passed")
    assert streaming.total("c-1") == (100, 100)
    history = list(TopicHistory(streaming.kafka, streaming.topic).read())
    assert [record.entered_at <= system_clock() for record in history] == [True, True]


def test_a_pipeline_goes_on_where_sql_stands_and_not_kafka(streaming: Streaming) -> None:
    streaming.produce(orders(0, 400))
    with streaming.member():
        wait_until(lambda: streaming.pushed() == 400, 60, "the first are pushed")
    with streaming.offline.database.writing() as connection:
        for table in ("feature_offsets", "feature_events", "feature_increments", "feature_orders"):
            connection.execute(text(f"DELETE FROM {table}"))
    with streaming.member():
        wait_until(lambda: streaming.counted() == 400, 60, "all are counted again")
    assert streaming.total("c-1") == (4_000, 4_000)


def test_two_members_share_the_partitions_and_one_takes_over(streaming: Streaming) -> None:
    streaming.produce(orders(0, 1_000))
    with streaming.member():
        with streaming.member():
            streaming.produce(orders(1_000, 3_000))
            wait_until(lambda: streaming.pushed() == 3_000, 90, "both have counted")
        streaming.produce(orders(3_000, 4_000))
        wait_until(lambda: streaming.pushed() == 4_000, 60, "the one that is left counts on")
    assert {streaming.total(f"c-{number}") for number in range(10)} == {(40_000, 40_000)}


def test_an_idle_partition_says_that_all_is_counted_until_now(streaming: Streaming) -> None:
    streaming.produce(orders(0, 4))
    with streaming.member():
        wait_until(lambda: streaming.pushed() == 4, 60, "all are pushed")
        now = system_clock()

        def level() -> bool:
            beats = streaming.online.heartbeats().partitions.values()
            return len(beats) == 4 and all(beat.as_of >= now for beat in beats)

        wait_until(level, 20, "each partition has a heartbeat from after that")


@pytest.mark.parametrize("empty", [False, True], ids=["with its data", "emptied"])
def test_counting_goes_on_without_redis_which_is_made_good(streaming: Streaming, empty: bool) -> None:
    streaming.produce(orders(0, 400))
    with streaming.member():
        wait_until(lambda: streaming.pushed() == 400, 60, "the first are pushed")
        streaming.redis.kill()
        streaming.produce(orders(400, 800))
        wait_until(lambda: streaming.counted() == 800, 60, "they are counted")
        if empty:
            streaming.lose_redis_data()
        streaming.redis.start()
        wait_until(lambda: streaming.pushed() == 800, 60, "Redis is told")
        streaming.produce(orders(800, 1_200))
        wait_until(lambda: streaming.pushed() == 1_200, 60, "and goes on")
    for number in range(10):
        here, there = streaming.total(f"c-{number}")
        assert there == 12_000
        assert here in (None, 12_000)


def test_while_sql_is_away_nothing_is_skipped_and_the_member_stays(streaming: Streaming) -> None:
    streaming.produce(orders(0, 400))
    offline = MayBeAway(open_database(streaming.database_url))
    with streaming.member(offline) as member:
        wait_until(lambda: streaming.pushed() == 400, 60, "the first are pushed")
        offline.away = True
        streaming.produce(orders(400, 800))
        wait_until(lambda: offline.tried >= 3, 60, "it asks again and again")
        assert streaming.counted() == 400
        offline.away = False
        wait_until(lambda: streaming.pushed() == 800, 60, "all are counted")
    assert member.error is None
    assert streaming.total("c-1") == (8_000, 8_000)


def test_a_partition_that_is_shorter_than_what_was_counted_holds_up_no_other(
    streaming: Streaming, caplog: pytest.LogCaptureFixture
) -> None:
    with streaming.offline.database.writing() as connection:
        connection.execute(
            text("INSERT INTO feature_offsets VALUES (0, :topic, 5000, 0, 0)"), {"topic": streaming.topic}
        )
    with streaming.member() as member:
        streaming.produce(orders(0, 400))
        wait_until(lambda: streaming.counted() - 5_000 > 200, 60, "the other partitions are counted")
        wait_until(lambda: "has counted it up to 5000" in caplog.text, 60, "it is named")
    assert member.error is None
